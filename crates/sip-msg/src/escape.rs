//! Percent escapes in URIs (RFC 3261 §19.1.2).

use std::borrow::Cow;

/// Replaces each `%HH` by its byte. A `%` that two hexadecimal digits do not follow stays.
pub fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = crate::lex::find(b'%', text) else {
        return Cow::Borrowed(text);
    };
    let mut out = Vec::with_capacity(text.len());
    out.extend_from_slice(&text[..first]);
    let mut rest = &text[first..];
    while let Some((byte, _, after)) = next_byte(rest) {
        out.push(byte);
        rest = after;
    }
    Cow::Owned(out)
}

/// The next byte of escaped text, whether it was escaped, and what follows.
pub(crate) fn next_byte(text: &[u8]) -> Option<(u8, bool, &[u8])> {
    match *text {
        [b'%', high, low, ref rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            Some((hex(high) << 4 | hex(low), true, rest))
        }
        [byte, ref rest @ ..] => Some((byte, false, rest)),
        [] => None,
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// Appends `text` as the user part of a URI: what RFC 3261 §25.1 does not allow there is escaped.
pub fn escape_user(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{escape_user, unescape};

    #[test]
    fn there_and_back() {
        for (escaped, plain) in
            [("sips%3Auser%40example.com", "sips:user@example.com"), ("%C3%A9%25", "é%"), ("a", "a")]
        {
            assert_eq!(unescape(escaped.as_bytes()).as_ref(), plain.as_bytes());
            let mut out = String::new();
            escape_user(plain, &mut out);
            assert_eq!(out, escaped);
        }
    }

    #[test]
    fn percent_alone_stays() {
        assert_eq!(unescape(b"%Z%4%").as_ref(), b"%Z%4%");
        assert_eq!(unescape(b"null-%00-null").as_ref(), b"null-\0-null");
    }
}
