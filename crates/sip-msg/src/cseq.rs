//! CSeq (RFC 3261 §20.16).

use crate::lex::{is_lws, is_token, number, trim_start};
use crate::{HeaderError, HeaderName, Method};

/// A CSeq value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CSeq<'a> {
    /// The sequence number, below 2^31 (RFC 3261 §8.1.1.5).
    pub number: u32,
    /// The method of the request, in a response too.
    pub method: Method<'a>,
}

impl<'a> CSeq<'a> {
    /// Reads a CSeq value.
    pub fn parse(value: &'a [u8]) -> Result<Self, HeaderError> {
        let malformed = |what| HeaderError::Malformed { header: HeaderName::CSeq, what };
        let end = value.iter().position(|&byte| is_lws(byte)).ok_or(malformed("no method"))?;
        let number = number(&value[..end]).filter(|&number: &u32| number < 1 << 31);
        let number = number.ok_or(malformed("the number is not below 2147483648"))?;
        match Method::of(trim_start(&value[end..])) {
            Method::Other(text) if !is_token(text) => Err(malformed("the method is not a token")),
            method => Ok(CSeq { number, method }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_methods() {
        for (text, want) in [
            ("1 MESSAGE", Some((1, Method::Message))),
            ("0009\r\n  INVITE", Some((9, Method::Invite))),
            ("2147483647 x", Some((2147483647, Method::Other(b"x")))),
            ("2147483648 MESSAGE", None),
            ("MESSAGE", None),
            ("1", None),
            ("-1 MESSAGE", None),
            ("1 MESS AGE", None),
            ("", None),
        ] {
            let got = CSeq::parse(text.as_bytes()).ok().map(|cseq| (cseq.number, cseq.method));
            assert_eq!(got, want, "{text}");
        }
    }
}
