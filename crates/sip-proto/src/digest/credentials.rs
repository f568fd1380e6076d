use std::borrow::Cow;

use chappe_sip_msg::AuthValue;

use super::{Algorithm, Qop};

/// What is wrong with credentials or a challenge. The peer's doing; a request with such credentials deserves a 400 or,
/// gentler, a new challenge.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DigestError {
    /// Another scheme, as `Basic`.
    #[error("not a digest")]
    NotDigest,
    /// A parameter that must be there is not.
    #[error("no {0} parameter")]
    Missing(&'static str),
    /// An algorithm that this server does not know.
    #[error("unknown algorithm")]
    Algorithm,
    /// A quality of protection that this server does not know.
    #[error("unknown qop")]
    Qop,
    /// A nonce count that is not eight hexadecimal digits, or 0.
    #[error("malformed nonce count")]
    NonceCount,
}

/// The value of an Authorization or Proxy-Authorization header, parameters in any order and spacing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials<'a> {
    /// Who says to be asking.
    pub username: Cow<'a, [u8]>,
    /// The realm of the challenge.
    pub realm: Cow<'a, [u8]>,
    /// The nonce of the challenge.
    pub nonce: Cow<'a, [u8]>,
    /// The Request-URI as the client saw it.
    pub uri: Cow<'a, [u8]>,
    /// The proof, in hexadecimal.
    pub response: Cow<'a, [u8]>,
    /// The hash; MD5 where none is named.
    pub algorithm: Algorithm,
    /// What is protected. `None` for a client of RFC 2069.
    pub qop: Option<Qop>,
    /// The client's nonce; empty without `qop`.
    pub cnonce: Cow<'a, [u8]>,
    /// How often the client used the nonce, from 1. `None` without `qop`.
    pub nonce_count: Option<u32>,
    /// The nonce count as it was written.
    pub(super) nc: Cow<'a, [u8]>,
}

impl<'a> Credentials<'a> {
    /// Reads the value of the header.
    pub fn parse(value: &'a [u8]) -> Result<Self, DigestError> {
        let value = AuthValue::parse(value).filter(AuthValue::is_digest).ok_or(DigestError::NotDigest)?;
        let mut found = Found::default();
        for (name, value) in value.params() {
            found.note(name, value);
        }
        found.check()
    }

    /// The user name as text, bytes that are not UTF-8 replaced.
    pub fn user(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.username)
    }

    /// The realm as text, bytes that are not UTF-8 replaced.
    pub fn realm(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.realm)
    }
}

type Value<'a> = Option<Cow<'a, [u8]>>;

/// The parameters that count; of each the first.
#[derive(Default)]
struct Found<'a> {
    username: Value<'a>,
    realm: Value<'a>,
    nonce: Value<'a>,
    uri: Value<'a>,
    response: Value<'a>,
    algorithm: Value<'a>,
    qop: Value<'a>,
    cnonce: Value<'a>,
    nc: Value<'a>,
}

impl<'a> Found<'a> {
    fn note(&mut self, name: &[u8], value: Cow<'a, [u8]>) {
        let places: [(&str, &mut Value<'a>); 9] = [
            ("username", &mut self.username),
            ("realm", &mut self.realm),
            ("nonce", &mut self.nonce),
            ("uri", &mut self.uri),
            ("response", &mut self.response),
            ("algorithm", &mut self.algorithm),
            ("qop", &mut self.qop),
            ("cnonce", &mut self.cnonce),
            ("nc", &mut self.nc),
        ];
        let place = places.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
        if let Some((_, place)) = place {
            place.get_or_insert(value);
        }
    }

    fn check(self) -> Result<Credentials<'a>, DigestError> {
        let need = |value: Value<'a>, name| value.ok_or(DigestError::Missing(name));
        let algorithm = self.algorithm.map_or(Some(Algorithm::Md5), |token| Algorithm::parse(&token));
        let algorithm = algorithm.ok_or(DigestError::Algorithm)?;
        let qop = self.qop.map(|token| Qop::parse(&token).ok_or(DigestError::Qop)).transpose()?;
        // RFC 7616 §3.4: with qop there are cnonce and nc; a session needs the cnonce without it, too.
        let needs_cnonce = qop.is_some() || algorithm.is_session();
        let cnonce = if needs_cnonce { need(self.cnonce, "cnonce")? } else { Cow::Borrowed(&b""[..]) };
        let nc = if qop.is_some() { need(self.nc, "nc")? } else { Cow::Borrowed(&b""[..]) };
        let nonce_count = qop.map(|_| nonce_count(&nc).ok_or(DigestError::NonceCount)).transpose()?;
        Ok(Credentials {
            username: need(self.username, "username")?,
            realm: need(self.realm, "realm")?,
            nonce: need(self.nonce, "nonce")?,
            uri: need(self.uri, "uri")?,
            response: need(self.response, "response")?,
            algorithm,
            qop,
            cnonce,
            nonce_count,
            nc,
        })
    }
}

/// RFC 7616 §3.4: eight hexadecimal digits. Fewer are seen and harmless.
fn nonce_count(text: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= 8 && !text.starts_with('+'))?;
    u32::from_str_radix(text, 16).ok().filter(|count| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"Digest username="a", realm="r", nonce="n", uri="sip:h", response="00""#;

    fn parse(text: &str) -> Result<Credentials<'_>, DigestError> {
        Credentials::parse(text.as_bytes())
    }

    #[test]
    fn order_spacing_and_case_do_not_matter() {
        let plain = parse(PLAIN).unwrap();
        let other =
            "digest RESPONSE = \"00\" ,\r\n URI=\"sip:h\",nonce=n , Realm=\"r\",username=\"a\",x=\"y,z\"";
        assert_eq!(parse(other), Ok(plain.clone()));
        assert_eq!((plain.algorithm, plain.qop, plain.nonce_count), (Algorithm::Md5, None, None));
        assert_eq!(
            parse(r#"Digest username="\"a\\", realm=r, nonce=n, uri=u, response=0"#).unwrap().user(),
            "\"a\\"
        );
    }

    #[test]
    fn nonce_counts_are_hexadecimal() {
        for (nc, count) in [
            ("00000001", Ok(Some(1))),
            ("0000000a", Ok(Some(10))),
            ("00000010", Ok(Some(16))),
            ("FFFFFFFF", Ok(Some(u32::MAX))),
            ("1", Ok(Some(1))),
            ("00000000", Err(DigestError::NonceCount)),
            ("+0000001", Err(DigestError::NonceCount)),
            ("000000001", Err(DigestError::NonceCount)),
            ("0000000g", Err(DigestError::NonceCount)),
            ("", Err(DigestError::NonceCount)),
        ] {
            let text = format!("{PLAIN}, qop=auth, cnonce=\"c\", nc={nc}");
            assert_eq!(parse(&text).map(|credentials| credentials.nonce_count), count, "{nc}");
        }
    }

    #[test]
    fn what_must_be_there_is_asked_for() {
        for name in ["username", "realm", "nonce", "uri", "response"] {
            assert_eq!(parse(&PLAIN.replace(name, "x")), Err(DigestError::Missing(name)));
        }
        for (more, error) in [
            ("qop=auth, nc=00000001", DigestError::Missing("cnonce")),
            ("qop=auth, cnonce=c", DigestError::Missing("nc")),
            ("algorithm=MD5-sess", DigestError::Missing("cnonce")),
            ("algorithm=ROT13", DigestError::Algorithm),
            ("qop=auth-conf", DigestError::Qop),
        ] {
            assert_eq!(parse(&format!("{PLAIN}, {more}")), Err(error), "{more}");
        }
        assert_eq!(parse("Basic YTpi"), Err(DigestError::NotDigest));
        assert_eq!(parse(""), Err(DigestError::NotDigest));
    }
}
