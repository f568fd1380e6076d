use std::borrow::Cow;
use std::fmt::Write as _;

use super::challenge::Quoted;
use super::verify::proof;
use super::{Challenge, Credentials, Qop};

/// What credentials protect of a request.
#[derive(Clone, Copy, Debug)]
pub struct Protected<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its Request-URI.
    pub uri: &'a str,
    /// Its body, which counts where the server asks for `auth-int` alone.
    pub body: &'a [u8],
}

/// The challenge with the strongest algorithm, the first of equals, RFC 8760 §2.4.
pub fn strongest(challenges: impl IntoIterator<Item = Challenge>) -> Option<Challenge> {
    challenges.into_iter().reduce(|best, other| if other.algorithm > best.algorithm { other } else { best })
}

/// The value of the Authorization header that answers a challenge.
///
/// `cnonce` is the client's random text, `nonce_count` how often it used this nonce, this time included.
pub fn answer(
    challenge: &Challenge,
    user: &str,
    password: &str,
    request: Protected<'_>,
    cnonce: &str,
    nonce_count: u32,
) -> String {
    let qop = [Qop::Auth, Qop::AuthInt].into_iter().find(|qop| challenge.qop.contains(qop));
    let mut credentials = Credentials {
        username: Cow::Borrowed(user.as_bytes()),
        realm: Cow::Borrowed(challenge.realm.as_bytes()),
        nonce: Cow::Borrowed(challenge.nonce.as_bytes()),
        uri: Cow::Borrowed(request.uri.as_bytes()),
        response: Cow::Borrowed(b""),
        algorithm: challenge.algorithm,
        qop,
        cnonce: Cow::Borrowed(cnonce.as_bytes()),
        nonce_count: qop.map(|_| nonce_count),
        nc: Cow::Owned(format!("{nonce_count:08x}").into_bytes()),
    };
    let a1 = challenge.algorithm.hash(&[user.as_bytes(), challenge.realm.as_bytes(), password.as_bytes()]);
    let response = proof(&credentials, &a1, request.method.as_bytes(), request.body);
    credentials.response = Cow::Owned(response.as_bytes().to_vec());
    print(challenge, &credentials)
}

fn print(challenge: &Challenge, credentials: &Credentials<'_>) -> String {
    let text = |bytes: &Cow<'_, [u8]>| String::from_utf8_lossy(bytes).into_owned();
    let mut out = String::from("Digest ");
    for (name, value) in [
        ("username", &credentials.username),
        ("realm", &credentials.realm),
        ("nonce", &credentials.nonce),
        ("uri", &credentials.uri),
        ("response", &credentials.response),
    ] {
        // Writing to a String does not fail.
        let _ = write!(out, "{name}={}, ", Quoted(&text(value)));
    }
    let _ = write!(out, "algorithm={}", challenge.algorithm);
    if credentials.qop.is_some() || challenge.algorithm.is_session() {
        let _ = write!(out, ", cnonce={}", Quoted(&text(&credentials.cnonce)));
    }
    if let Some(qop) = credentials.qop {
        let _ = write!(out, ", qop={}, nc={}", qop.as_str(), text(&credentials.nc));
    }
    if let Some(opaque) = &challenge.opaque {
        let _ = write!(out, ", opaque={}", Quoted(opaque));
    }
    out
}
