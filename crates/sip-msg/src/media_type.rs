//! Content-Type and Accept values (RFC 3261 §20.15, §20.1).

use crate::Params;
use crate::lex::{find, is_token, split_at_byte, trim};

/// A media type with its parameters.
#[derive(Clone, Copy, Debug)]
pub struct MediaType<'a> {
    /// `text` of `text/plain`.
    pub kind: &'a [u8],
    /// `plain` of `text/plain`.
    pub subtype: &'a [u8],
    /// `;charset=utf-8` and others.
    pub params: Params<'a>,
}

impl<'a> MediaType<'a> {
    /// Reads one value; `None` when it is not `type/subtype`.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let end = find(b';', value).unwrap_or(value.len());
        let (kind, subtype) = split_at_byte(&value[..end], b'/')?;
        let (kind, subtype) = (trim(kind), trim(subtype));
        (is_token(kind) && is_token(subtype)).then(|| MediaType {
            kind,
            subtype,
            params: Params::of(&value[end..]),
        })
    }

    /// Whether it is `kind/subtype`; types know no case.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
            && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::MediaType;

    #[test]
    fn types() {
        let plain = MediaType::parse(b"Text / PLAIN ; charset=\"UTF-8\"").unwrap();
        assert!(plain.is("text", "plain"));
        assert_eq!(plain.params.get("charset"), Some(&b"UTF-8"[..]));
        assert!(MediaType::parse(b"text").is_none());
        assert!(MediaType::parse(b"/plain").is_none());
    }
}
