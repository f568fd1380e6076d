//! `$1` and `${1}` in a text, filled with what the expression captured.

use crate::Captures;

/// The highest group that a reference can name.
const MAX_GROUP: u32 = 256;

/// Digits that FreeSWITCH reads of a reference.
const MAX_DIGITS: usize = 9;

/// Fills in the references of `data`. FreeSWITCH switch_regex.c `switch_perform_substitution`, whose `${1` without its
/// brace leaves the digits it read to stand before those of the next reference; the text is cut where the buffers of its
/// callers end.
pub fn substitute(data: &str, subject: &str, captures: &Captures) -> String {
    let limit = (data.len() + subject.len() + 10) * captures.count() - 1;
    substitute_within(data, subject, captures, limit)
}

fn substitute_within(data: &str, subject: &str, captures: &Captures, limit: usize) -> String {
    let mut out = Output { text: Vec::with_capacity(data.len() + subject.len()), limit };
    let bytes = data.as_bytes();
    let mut digits = Vec::new();
    let mut at = 0;
    while at < bytes.len() && !out.full() {
        if bytes[at] != b'$' {
            out.push(&bytes[at..=at]);
            at += 1;
            continue;
        }
        at = reference(bytes, at + 1, &mut digits, &mut out, |group, out| {
            out.push(captures.group(subject.as_bytes(), group));
        });
    }
    String::from_utf8(out.text).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Reads a reference whose `$` stands before `at`; returns where to go on.
fn reference(
    bytes: &[u8],
    mut at: usize,
    digits: &mut Vec<u8>,
    out: &mut Output,
    fill: impl Fn(usize, &mut Output),
) -> usize {
    let brace = bytes.get(at) == Some(&b'{');
    let first = at + usize::from(brace);
    if !bytes.get(first).is_some_and(u8::is_ascii_digit) {
        out.push(b"$");
        return at;
    }
    at = first;
    while let Some(digit) = bytes.get(at).filter(|byte| byte.is_ascii_digit() && digits.len() < MAX_DIGITS) {
        digits.push(*digit);
        at += 1;
    }
    if brace {
        if bytes.get(at) != Some(&b'}') {
            let back = at.saturating_sub(digits.len().saturating_sub(1)).max(1);
            out.push(&bytes[back - 1..back]);
            // Never before the first digit, so that each reference is left behind.
            return back.max(first);
        }
        at += 1;
    }
    let group = digits.iter().fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'));
    digits.clear();
    if group <= MAX_GROUP {
        fill(group as usize, out);
    }
    at
}

/// Text that grows to a limit.
struct Output {
    text: Vec<u8>,
    limit: usize,
}

impl Output {
    fn full(&self) -> bool {
        self.text.len() >= self.limit
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.text.len());
        self.text.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expression;

    fn check(data: &str, expect: &str) {
        let subject = "hello there";
        let captures = Expression::new(r"^(\w+) (t)(x)?")
            .expect("it compiles")
            .captures(subject)
            .expect("it is cheap")
            .expect("it matches");
        assert_eq!(substitute(data, subject, &captures), expect, "{data}");
    }

    #[test]
    fn references_are_filled_in() {
        check("", "");
        check("plain", "plain");
        check("[$0]", "[hello t]");
        check("[$1][$2][$3][$9]", "[hello][t][][]");
        check("${1}1 $1x", "hello1 hellox");
        check("$ $$ ${name} $x $", "$ $$ ${name} $x $");
        check("$$1", "$hello");
        check("$999 $1", " hello");
        check("é$1é", "éhelloé");
    }

    #[test]
    fn an_open_brace_does_not_hang() {
        check("${1", "1");
        check("${1x} $2", "1x} ");
    }

    #[test]
    fn the_limit_cuts() {
        let captures = Expression::new("(.*)")
            .expect("it compiles")
            .captures("abcdef")
            .expect("it is cheap")
            .expect("it matches");
        assert_eq!(substitute_within("$1$1", "abcdef", &captures, 8), "abcdefab");
    }
}
