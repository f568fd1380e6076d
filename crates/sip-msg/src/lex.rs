//! The character classes and small scans that header values are made of (RFC 3261 §25.1).

use std::borrow::Cow;

/// White space between the parts of a value. A folded line leaves its CR and LF in the value, and they count as LWS.
pub(crate) const fn is_lws(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    with(table, b"-.!%*_+`'~", true)
};

const VISIBLE: [bool; 256] = {
    let mut table = [true; 256];
    let mut byte = 0;
    while byte <= b' ' {
        table[byte as usize] = false;
        byte += 1;
    }
    with(table, b"\"<>\x7f", false)
};

const fn with(mut table: [bool; 256], bytes: &[u8], value: bool) -> [bool; 256] {
    let mut index = 0;
    while index < bytes.len() {
        table[bytes[index] as usize] = value;
        index += 1;
    }
    table
}

pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| TOKEN[usize::from(byte)])
}

/// Without white space, control characters, double quotes and angle brackets.
pub(crate) fn is_visible(text: &[u8]) -> bool {
    text.iter().all(|&byte| VISIBLE[usize::from(byte)])
}

pub(crate) fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&byte| !is_lws(byte)).unwrap_or(text.len());
    &text[start..]
}

pub(crate) fn trim_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&byte| !is_lws(byte)).map_or(0, |last| last + 1);
    &text[..end]
}

pub(crate) fn trim(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text))
}

/// Splits at the first `byte`, which belongs to neither side.
pub(crate) fn split_at_byte(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(byte, text)?;
    Some((&text[..at], &text[at + 1..]))
}

/// The length of the quoted string that `text` starts with, quotes included; `None` when it has no end.
pub(crate) fn quoted_length(text: &[u8]) -> Option<usize> {
    debug_assert_eq!(text.first(), Some(&b'"'));
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// What stands between the quotes, if there are quotes; escapes stay.
pub(crate) fn strip_quotes(text: &[u8]) -> &[u8] {
    match text {
        [b'"', inner @ .., b'"'] => inner,
        bare => bare,
    }
}

/// What a quoted string says: quotes and backslashes taken away. Text without quotes is itself.
pub(crate) fn unquote(text: &[u8]) -> Cow<'_, [u8]> {
    let inner = strip_quotes(text);
    if inner.len() == text.len() || memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied();
    while let Some(byte) = bytes.next() {
        out.push(if byte == b'\\' { bytes.next().unwrap_or(byte) } else { byte });
    }
    Cow::Owned(out)
}

/// A decimal number and nothing else; `None` also when it does not fit.
pub(crate) fn number<T: TryFrom<u64>>(text: &[u8]) -> Option<T> {
    if text.is_empty() || text.len() > 20 {
        return None;
    }
    let value = text.iter().try_fold(0u64, |value, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })?;
    T::try_from(value).ok()
}

/// A number of seconds. RFC 3261 §20 bounds them by 2^32-1; what is larger counts as that.
pub(crate) fn seconds(text: &[u8]) -> Option<u32> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(number(text).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_strings() {
        assert_eq!(quoted_length(br#""a\"b" c"#), Some(6));
        assert_eq!(quoted_length(br#""a\"#), None);
        assert_eq!(quoted_length(br#"""#), None);
        assert_eq!(unquote(br#""a\"b\\""#).as_ref(), br#"a"b\"#);
        assert_eq!(unquote(b"token").as_ref(), b"token");
        assert_eq!(unquote(br#"""#).as_ref(), br#"""#);
    }

    #[test]
    fn numbers_that_do_not_fit() {
        assert_eq!(number::<u32>(b"4294967295"), Some(u32::MAX));
        assert_eq!(number::<u32>(b"4294967296"), None);
        assert_eq!(number::<u32>(b"36893488147419103232"), None);
        assert_eq!(number::<u8>(b"-1"), None);
        assert_eq!(number::<u8>(b""), None);
        assert_eq!(seconds(b"1000000000000000000000000"), Some(u32::MAX));
        assert_eq!(seconds(b"ten"), None);
    }

    #[test]
    fn trimming_takes_folds() {
        assert_eq!(trim(b" \r\n a b \t"), b"a b");
        assert_eq!(trim(b" \t "), b"");
    }
}
