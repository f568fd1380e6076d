//! Header values that are lists: `Via`, `Contact`, `Route`, `Allow`, ... (RFC 3261 §7.3.1).

use crate::lex::{PLAIN, find, quoted_length, span, trim};

/// The values of one header line, split at the commas that stand in no quoted string and in no angle brackets.
/// Empty values are skipped.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    rest: &'a [u8],
}

impl<'a> Values<'a> {
    /// Splits the value of one header line.
    pub fn of(value: &'a [u8]) -> Self {
        Values { rest: value }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let end = comma(self.rest).unwrap_or(self.rest.len());
            let value = trim(&self.rest[..end]);
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            if !value.is_empty() {
                return Some(value);
            }
        }
        None
    }
}

/// Where the first comma between two values stands. A quoted string or bracket without an end takes the rest.
fn comma(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += span::<PLAIN>(&text[at..]);
        match *text.get(at)? {
            b',' => return Some(at),
            b'"' => at += quoted_length(&text[at..])?,
            _ => at += find(b'>', &text[at..])? + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Values;

    #[test]
    fn commas_between_values_only() {
        for (text, values) in [
            ("a, b ,c", &["a", "b", "c"][..]),
            (r#""a, b" <sip:x>, <sip:y,z>"#, &[r#""a, b" <sip:x>"#, "<sip:y,z>"]),
            (",,, ,", &[]),
            ("", &[]),
            (r#"a, "b, c"#, &["a", r#""b, c"#]),
            ("<a, b", &["<a, b"]),
        ] {
            let got: Vec<_> = Values::of(text.as_bytes()).map(String::from_utf8_lossy).collect();
            assert_eq!(got, values, "{text}");
        }
    }
}
