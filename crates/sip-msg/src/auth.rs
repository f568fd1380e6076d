//! Authorization, WWW-Authenticate and their Proxy- sisters (RFC 3261 §20.7, RFC 7235): a scheme and parameters.

use std::borrow::Cow;

use crate::lex::{is_lws, is_token, quoted_length, trim, trim_end, trim_start, unquote};

/// The value of a credentials or challenge header.
#[derive(Clone, Copy, Debug)]
pub struct AuthValue<'a> {
    /// `Digest`, in the case it was written.
    pub scheme: &'a [u8],
    /// The rest of the value.
    text: &'a [u8],
}

impl<'a> AuthValue<'a> {
    /// Splits scheme and parameters. `None` when there is no scheme.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let value = trim(value);
        let end = value.iter().position(|&byte| is_lws(byte)).unwrap_or(value.len());
        is_token(&value[..end]).then(|| AuthValue { scheme: &value[..end], text: &value[end..] })
    }

    /// Whether the scheme is Digest.
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"Digest")
    }

    /// The parameters in the order they were written.
    pub fn params(&self) -> AuthParams<'a> {
        AuthParams { rest: self.text }
    }

    /// The first parameter of that name; names know no case.
    pub fn get(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        self.params().find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }
}

/// The parameters of a credentials or challenge header, in any order and spacing, quotes and escapes undone.
pub fn auth_params(value: &[u8]) -> AuthParams<'_> {
    AuthValue::parse(value).map_or(AuthParams { rest: b"" }, |value| value.params())
}

/// Iterator over `name=value` pairs between commas. A piece without `=` is skipped; a quoted string without an end
/// is the last.
#[derive(Clone, Debug)]
pub struct AuthParams<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for AuthParams<'a> {
    type Item = (&'a [u8], Cow<'a, [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let at = memchr::memchr2(b',', b'=', self.rest)?;
            let (name, rest) = (trim(&self.rest[..at]), &self.rest[at + 1..]);
            if self.rest[at] == b',' || !is_token(name) {
                self.rest = rest;
                continue;
            }
            return Some((name, self.take_value(trim_start(rest))));
        }
        None
    }
}

impl<'a> AuthParams<'a> {
    fn take_value(&mut self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let quoted = if text.first() == Some(&b'"') { quoted_length(text) } else { None };
        let start = quoted.unwrap_or(0);
        let comma = memchr::memchr(b',', &text[start..]).map_or(text.len(), |at| start + at);
        self.rest = text.get(comma + 1..).unwrap_or_default();
        unquote(quoted.map_or_else(|| trim_end(&text[..comma]), |end| &text[..end]))
    }
}

#[cfg(test)]
mod tests {
    use super::{AuthValue, auth_params};

    fn pairs(text: &str) -> Vec<(String, String)> {
        let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        auth_params(text.as_bytes()).map(|(name, value)| (text_of(name), text_of(&value))).collect()
    }

    #[test]
    fn any_order_and_spacing() {
        let want = [("realm", "a, b"), ("nc", "0000000a"), ("uri", "sip:d;transport=udp"), ("qop", "auth")];
        for text in [
            r#"Digest realm="a, b",nc=0000000a,uri="sip:d;transport=udp",qop=auth"#,
            r#"Digest  realm = "a, b" , nc=0000000a ,	uri = "sip:d;transport=udp", qop="auth""#,
            "Digest realm=\"a\\, b\",\r\n nc=0000000a,,uri=\"sip:d;transport=udp\",qop=auth,",
        ] {
            let got = pairs(text);
            let got: Vec<_> = got.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn odd_values() {
        assert!(pairs("").is_empty());
        assert!(pairs("Digest").is_empty());
        assert!(pairs("Digest a, b").is_empty());
        assert_eq!(pairs(r#"Digest a="x"#), [("a".into(), "\"x".into())]);
        assert_eq!(pairs("Digest a=,b=1"), [("a".into(), "".into()), ("b".into(), "1".into())]);
        assert!(AuthValue::parse(b"digest a=1").unwrap().is_digest());
        assert_eq!(AuthValue::parse(b"Digest A=1").unwrap().get("a").as_deref(), Some(&b"1"[..]));
    }
}
