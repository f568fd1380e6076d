//! The character classes and small scans that header values are made of (RFC 3261 §25.1).

use std::borrow::Cow;

/// White space between the parts of a value. A folded line leaves its CR and LF in the value, and they count as LWS.
pub(crate) const fn is_lws(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// A set of octets: one bit of the table below.
pub(crate) type Class = u8;

/// What tokens are made of.
pub(crate) const TOKEN: Class = 1;
/// What host names and IPv4 addresses are made of.
///
/// Deviation: an underscore counts as a letter, since hosts in local networks have them.
pub(crate) const HOST: Class = 1 << 1;
/// No white space, control character, double quote or angle bracket.
pub(crate) const VISIBLE: Class = 1 << 2;
/// [`VISIBLE`], and no end of an unquoted parameter value: no `,` or `;`.
pub(crate) const PARAM_VALUE: Class = 1 << 3;
/// [`VISIBLE`], and no end of a URI's user: no `:` or `@`.
pub(crate) const USER: Class = 1 << 4;
/// [`VISIBLE`], and no end of a URI's password: no `@`.
pub(crate) const PASSWORD: Class = 1 << 5;
/// [`VISIBLE`], and no end of a URI's parameters: no `?`.
pub(crate) const URI_PARAMS: Class = 1 << 6;
/// No `,`, `"` or `<`: what a list can be split in, or an address begin with.
pub(crate) const PLAIN: Class = 1 << 7;

/// The classes of each octet.
static CLASSES: [Class; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = classes(byte as u8);
        byte += 1;
    }
    table
};

const fn classes(byte: u8) -> Class {
    let mut classes = 0;
    if byte.is_ascii_alphanumeric() {
        classes |= TOKEN | HOST;
    }
    if matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~') {
        classes |= TOKEN;
    }
    if matches!(byte, b'.' | b'-' | b'_') {
        classes |= HOST;
    }
    if byte > b' ' && !matches!(byte, b'"' | b'<' | b'>' | 0x7f) {
        classes |= VISIBLE | PARAM_VALUE | USER | PASSWORD | URI_PARAMS;
    }
    if !matches!(byte, b',' | b'"' | b'<') {
        classes |= PLAIN;
    }
    let ends = match byte {
        b',' | b';' => PARAM_VALUE,
        b':' => USER,
        b'@' => USER | PASSWORD,
        b'?' => URI_PARAMS,
        _ => 0,
    };
    classes & !ends
}

/// How many octets of the class `text` starts with.
#[inline]
pub(crate) fn span<const CLASS: Class>(text: &[u8]) -> usize {
    text.iter().position(|&byte| CLASSES[usize::from(byte)] & CLASS == 0).unwrap_or(text.len())
}

pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && span::<TOKEN>(text) == text.len()
}

/// Without white space, control characters, double quotes and angle brackets.
pub(crate) fn is_visible(text: &[u8]) -> bool {
    span::<VISIBLE>(text) == text.len()
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGH_BITS: u64 = ONES << 7;

/// Where `byte` first stands. Header values are short: eight octets at a time take less than a call of `memchr` does.
#[inline]
pub(crate) fn find(byte: u8, text: &[u8]) -> Option<usize> {
    let pattern = ONES * u64::from(byte);
    scan(text, |word| below(word ^ pattern, 1))
}

/// Where the first octet below `bound`, at most 128, stands. Below 14 are the line ends, tabs, and control characters.
#[inline]
pub(crate) fn find_below(bound: u8, text: &[u8]) -> Option<usize> {
    scan(text, |word| below(word, bound))
}

/// Whether there is a line end in `text`.
pub(crate) fn breaks_line(text: &[u8]) -> bool {
    let control = find_below(b'\r' + 1, text);
    control.is_some_and(|at| text[at..].iter().any(|byte| matches!(byte, b'\r' | b'\n')))
}

/// The first octet that `mark` marks. The marks are the high bits of a word's octets; above the first they may be wrong.
#[inline]
fn scan(text: &[u8], mark: impl Fn(u64) -> u64) -> Option<usize> {
    let (words, tail) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let marks = mark(u64::from_le_bytes(*word));
        if marks != 0 {
            return Some(index * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    let whole = words.len() * 8;
    tail.iter().position(|&byte| mark(u64::from(byte) | !0xff) & 0x80 != 0).map(|at| whole + at)
}

/// Marks the octets below `bound`, at most 128 (Mycroft's test).
#[inline]
fn below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(bound)) & !word & HIGH_BITS
}

pub(crate) fn trim_start(text: &[u8]) -> &[u8] {
    if text.first().is_none_or(|&byte| !is_lws(byte)) {
        return text;
    }
    let start = text.iter().position(|&byte| !is_lws(byte)).unwrap_or(text.len());
    &text[start..]
}

pub(crate) fn trim_end(text: &[u8]) -> &[u8] {
    if text.last().is_none_or(|&byte| !is_lws(byte)) {
        return text;
    }
    let end = text.iter().rposition(|&byte| !is_lws(byte)).map_or(0, |last| last + 1);
    &text[..end]
}

pub(crate) fn trim(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text))
}

/// Splits at the first `byte`, which belongs to neither side.
pub(crate) fn split_at_byte(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = find(byte, text)?;
    Some((&text[..at], &text[at + 1..]))
}

/// The length of the quoted string that `text` starts with, quotes included; `None` when it has no end.
pub(crate) fn quoted_length(text: &[u8]) -> Option<usize> {
    debug_assert_eq!(text.first(), Some(&b'"'));
    let mut at = 1;
    loop {
        at += text.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
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
    if inner.len() == text.len() || find(b'\\', inner).is_none() {
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
    let mut value = 0u64;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
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
    fn words_are_searched_like_octets() {
        let text: Vec<u8> = (0..=255u8).chain([0, 13, 14, 128, 255]).rev().collect();
        for start in 0..20 {
            for end in start..text.len() {
                let text = &text[start..end];
                for bound in [1, 14, 33, 128] {
                    assert_eq!(find_below(bound, text), text.iter().position(|&byte| byte < bound));
                }
                for byte in [0, 1, b':', 127, 128, 254, 255] {
                    assert_eq!(find(byte, text), text.iter().position(|&other| other == byte));
                }
            }
        }
        assert!(breaks_line(b"a tab\tand a\nline end") && !breaks_line(b"\ta\x01"));
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
