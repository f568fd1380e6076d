use std::fmt;

use chappe_sip_msg::AuthValue;

use super::{Algorithm, DigestError};

/// Quality of protection, RFC 7616 §3.4.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Qop {
    /// `auth`: method and URI.
    Auth,
    /// `auth-int`: the body, too.
    AuthInt,
}

impl Qop {
    /// Its token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
        }
    }

    /// The one of that token, in any case.
    pub fn parse(token: &[u8]) -> Option<Self> {
        [Self::Auth, Self::AuthInt]
            .into_iter()
            .find(|qop| qop.as_str().as_bytes().eq_ignore_ascii_case(token))
    }
}

/// The value of a WWW-Authenticate or Proxy-Authenticate header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// Whose users are asked for.
    pub realm: String,
    /// See [`Nonces::issue`](super::Nonces::issue).
    pub nonce: String,
    /// The hash to use.
    pub algorithm: Algorithm,
    /// The nonce of the credentials was used up, the password may well be right: the client need not ask its user.
    pub stale: bool,
    /// What can be protected, the preferred first; none for a server of RFC 2069.
    pub qop: Vec<Qop>,
    /// A text to be given back, if the server sent one.
    pub opaque: Option<String>,
}

impl Challenge {
    /// A challenge with `qop="auth"`.
    pub fn new(realm: impl Into<String>, nonce: impl Into<String>, algorithm: Algorithm) -> Self {
        let (realm, nonce) = (realm.into(), nonce.into());
        Self { realm, nonce, algorithm, stale: false, qop: vec![Qop::Auth], opaque: None }
    }

    /// The same for credentials whose nonce was used up.
    #[must_use]
    pub fn stale(mut self, stale: bool) -> Self {
        self.stale = stale;
        self
    }

    /// Reads the value of the header. What a `qop` offers besides the known is left out.
    pub fn parse(value: &[u8]) -> Result<Self, DigestError> {
        let value = AuthValue::parse(value).filter(AuthValue::is_digest).ok_or(DigestError::NotDigest)?;
        let text = |name| value.get(name).map(|value| String::from_utf8_lossy(&value).into_owned());
        let algorithm = value.get("algorithm").map_or(Some(Algorithm::Md5), |token| Algorithm::parse(&token));
        let offered = text("qop").unwrap_or_default();
        let qop: Vec<_> =
            offered.split(',').filter_map(|token| Qop::parse(token.trim().as_bytes())).collect();
        if qop.is_empty() && !offered.trim().is_empty() {
            return Err(DigestError::Qop);
        }
        Ok(Self {
            realm: text("realm").ok_or(DigestError::Missing("realm"))?,
            nonce: text("nonce").ok_or(DigestError::Missing("nonce"))?,
            algorithm: algorithm.ok_or(DigestError::Algorithm)?,
            stale: value.get("stale").is_some_and(|value| value.eq_ignore_ascii_case(b"true")),
            qop,
            opaque: text("opaque"),
        })
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest realm={}, nonce={}", Quoted(&self.realm), Quoted(&self.nonce))?;
        if self.stale {
            f.write_str(", stale=true")?;
        }
        write!(f, ", algorithm={}", self.algorithm)?;
        if !self.qop.is_empty() {
            let tokens: Vec<_> = self.qop.iter().map(|qop| qop.as_str()).collect();
            write!(f, ", qop=\"{}\"", tokens.join(","))?;
        }
        match &self.opaque {
            Some(opaque) => write!(f, ", opaque={}", Quoted(opaque)),
            None => Ok(()),
        }
    }
}

/// A quoted string, RFC 3261 §25.1, without line ends.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                '\r' | '\n' | '\0' => {}
                _ => write!(f, "{character}")?,
            }
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_read() {
        let plain = Challenge::new("example.com", "5f2c", Algorithm::Md5);
        assert_eq!(
            plain.to_string(),
            r#"Digest realm="example.com", nonce="5f2c", algorithm=MD5, qop="auth""#
        );
        let rich = Challenge {
            realm: "a \"b\\\" c".to_owned(),
            algorithm: Algorithm::Sha256Sess,
            stale: true,
            qop: vec![Qop::Auth, Qop::AuthInt],
            opaque: Some("o, p".to_owned()),
            ..plain.clone()
        };
        let bare = Challenge { qop: Vec::new(), ..plain.clone() };
        for challenge in [plain, rich, bare] {
            assert_eq!(Challenge::parse(challenge.to_string().as_bytes()), Ok(challenge));
        }
    }

    #[test]
    fn no_text_starts_a_header() {
        let challenge = Challenge::new("a\r\nb", "n", Algorithm::Md5);
        assert!(challenge.to_string().starts_with("Digest realm=\"ab\","));
    }

    #[test]
    fn others_challenges() {
        let parse = |text: &str| Challenge::parse(text.as_bytes());
        let old = parse(r#"Digest realm="r",nonce="n""#).unwrap();
        assert_eq!((old.algorithm, old.qop.len(), old.stale), (Algorithm::Md5, 0, false));
        let new = parse(r#"digest Stale=TRUE , QOP="auth-conf, auth-int", realm=r,nonce=n"#).unwrap();
        assert_eq!((new.stale, new.qop), (true, vec![Qop::AuthInt]));
        assert_eq!(parse(r#"Digest realm="r",nonce="n",qop="auth-conf""#), Err(DigestError::Qop));
        assert_eq!(parse(r#"Digest realm="r",nonce="n",algorithm=X"#), Err(DigestError::Algorithm));
        assert_eq!(parse(r#"Digest nonce="n""#), Err(DigestError::Missing("realm")));
        assert_eq!(parse("Negotiate"), Err(DigestError::NotDigest));
    }
}
