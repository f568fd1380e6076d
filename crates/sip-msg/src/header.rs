//! One header line.

use std::borrow::Cow;

use crate::HeaderName;
use crate::lex::{breaks_line, is_lws};

/// A header line of a [`Message`](crate::Message).
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// Which header it is.
    pub name: HeaderName,
    /// The name as it was written.
    pub name_text: &'a [u8],
    /// The value without white space around it; a folded one keeps its line ends, see [`Header::text`].
    pub value: &'a [u8],
    /// The line, or lines if it is folded, with the line end: for copying untouched.
    pub raw: &'a [u8],
    /// Whether `raw` is one line that ends with CRLF.
    pub(crate) whole: bool,
}

impl<'a> Header<'a> {
    /// Whether the line has this name, in any case. Compact forms count only through [`Header::name`].
    pub fn is(&self, name: &str) -> bool {
        self.name_text.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value on one line, as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> Cow<'a, str> {
        match unfold(self.value) {
            Cow::Borrowed(value) => String::from_utf8_lossy(value),
            Cow::Owned(value) => Cow::Owned(String::from_utf8_lossy(&value).into_owned()),
        }
    }
}

/// The value on one line: each line end with the white space around it becomes one space (RFC 3261 §7.3.1).
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    if !breaks_line(value) {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    for line in value.split(|&byte| matches!(byte, b'\r' | b'\n')) {
        let start = line.iter().position(|&byte| !is_lws(byte)).unwrap_or(line.len());
        let end = line.iter().rposition(|&byte| !is_lws(byte)).map_or(start, |last| last + 1);
        if !out.is_empty() && start < end {
            out.push(b' ');
        }
        out.extend_from_slice(&line[start..end]);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::unfold;

    #[test]
    fn folds_become_one_space() {
        assert_eq!(unfold(b"a  b").as_ref(), b"a  b");
        assert_eq!(unfold(b"a \r\n\t b\n c").as_ref(), b"a b c");
        assert_eq!(unfold(b"a\r\n \r\n b").as_ref(), b"a b");
    }
}
