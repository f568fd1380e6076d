use std::fmt;

use super::algorithm::Hex;
use super::{Algorithm, Credentials, Qop};

/// What proves a user's identity.
#[derive(Clone, Copy)]
pub enum Secret<'a> {
    /// The password.
    Password(&'a [u8]),
    /// The hash of `user:realm:password` in hexadecimal, FreeSWITCH's `a1-hash`. It serves one algorithm: MD5 if it has
    /// 32 digits, SHA-256 if it has 64.
    Ha1(&'a [u8]),
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Secret::Password",
            Self::Ha1(_) => "Secret::Ha1",
        })
    }
}

/// The `a1-hash` of a user, in hexadecimal.
pub fn a1_hash(algorithm: Algorithm, user: &[u8], realm: &[u8], password: &[u8]) -> String {
    algorithm.hash(&[user, realm, password]).as_str().to_owned()
}

/// Whether the credentials prove that whoever made them knows the secret, RFC 7616 §3.4. `body` counts for `auth-int`
/// only. Says nothing about the nonce, see [`Nonces`](super::Nonces).
pub fn verify(credentials: &Credentials<'_>, method: &[u8], body: &[u8], secret: Secret<'_>) -> bool {
    let Some(a1) = hashed_a1(credentials, secret) else {
        return false;
    };
    let theirs = Hex::read(&credentials.response);
    theirs.is_some_and(|theirs| proof(credentials, &a1, method, body).matches(theirs.as_bytes()))
}

/// `H(user:realm:password)`, if the secret serves the algorithm.
fn hashed_a1(credentials: &Credentials<'_>, secret: Secret<'_>) -> Option<Hex> {
    let algorithm = credentials.algorithm;
    match secret {
        Secret::Password(password) => {
            Some(algorithm.hash(&[&credentials.username, &credentials.realm, password]))
        }
        Secret::Ha1(digits) => Hex::read(digits).filter(|_| digits.len() == algorithm.hex_length()),
    }
}

/// The `response` parameter, RFC 7616 §3.4.1 to §3.4.3.
pub(super) fn proof(credentials: &Credentials<'_>, a1: &Hex, method: &[u8], body: &[u8]) -> Hex {
    let Credentials { algorithm, nonce, cnonce, uri, nc, .. } = credentials;
    let a1 = match algorithm.is_session() {
        true => algorithm.hash(&[a1.as_bytes(), nonce, cnonce]),
        false => *a1,
    };
    let a2 = match credentials.qop {
        Some(Qop::AuthInt) => algorithm.hash(&[method, uri, algorithm.hash(&[body]).as_bytes()]),
        Some(Qop::Auth) | None => algorithm.hash(&[method, uri]),
    };
    match credentials.qop {
        Some(qop) => {
            algorithm.hash(&[a1.as_bytes(), nonce, nc, cnonce, qop.as_str().as_bytes(), a2.as_bytes()])
        }
        None => algorithm.hash(&[a1.as_bytes(), nonce, a2.as_bytes()]),
    }
}
