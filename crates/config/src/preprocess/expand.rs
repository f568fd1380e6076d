//! `$${name}` in a line.

use std::borrow::Cow;

use super::variables::Variables;
use crate::limits;

/// A line with its `$${name}` replaced (FreeSWITCH switch_xml.c expand_vars).
pub(super) struct Expanded<'t> {
    pub text: Cow<'t, str>,
    /// Where the text goes on after a variable: offset here, offset in the line as written.
    pub shifts: Vec<(usize, usize)>,
    /// Names that are not set, and where; they expand to nothing.
    pub unknown: Vec<(usize, String)>,
    pub unterminated: bool,
    /// Variables were left out, since the line would grow beyond the limit.
    pub is_cut: bool,
    /// Where the first variable ends in the line as written.
    pub first_end: Option<usize>,
    /// Where the text starts in the line as written.
    start: usize,
}

impl<'t> Expanded<'t> {
    /// The rest of a line as it is.
    pub fn unchanged(line: &'t str, start: usize) -> Self {
        Expanded {
            text: Cow::Borrowed(&line[start..]),
            shifts: Vec::new(),
            unknown: Vec::new(),
            unterminated: false,
            is_cut: false,
            first_end: None,
            start,
        }
    }

    /// How many octets stand before this one in the line as written.
    pub fn column_of(&self, offset: usize) -> usize {
        match self.shifts.iter().rev().find(|(expanded, _)| *expanded <= offset) {
            Some((expanded, written)) => written + (offset - expanded),
            None => self.start + offset,
        }
    }
}

pub(super) fn expand<'t>(line: &'t str, variables: &Variables) -> Expanded<'t> {
    let mut expanded = Expanded::unchanged(line, 0);
    let Some(mut variable) = line.find("$${") else { return expanded };
    let mut text = String::with_capacity(line.len() * 2);
    let mut from = 0;
    loop {
        let Some(end) = closing_brace(line, variable + 2) else {
            expanded.unterminated = true;
            break;
        };
        text.push_str(&line[from..variable]);
        let name = &line[variable + 3..end];
        match variables.get(name) {
            Some(value) if text.len() + value.len() > limits::LINE_SIZE => expanded.is_cut = true,
            Some(value) => text.push_str(value),
            None => expanded.unknown.push((text.len(), name.to_owned())),
        }
        from = end + 1;
        expanded.first_end.get_or_insert(end);
        expanded.shifts.push((text.len(), from));
        match line[from..].find("$${") {
            Some(next) => variable = from + next,
            None => break,
        }
    }
    text.push_str(&line[from..]);
    expanded.text = Cow::Owned(text);
    expanded
}

/// The `}` that ends the `{` at `open`, braces inside counted.
fn closing_brace(line: &str, open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (offset, octet) in line.bytes().enumerate().skip(open) {
        match octet {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return Some(offset),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_once() {
        let variables =
            Variables::new(&[("domain".into(), "chat.test".into()), ("dollar".into(), "$$".into())], &[]);
        let cases = [
            ("plain ${x} $y", "plain ${x} $y"),
            ("a $${domain} b", "a chat.test b"),
            ("$${DOMAIN}$${domain}", "chat.testchat.test"),
            ("$${dollar}{domain}", "$${domain}"),
            ("[$${nobody}]", "[]"),
            ("[$${a{b}c}]", "[]"),
            ("$${domain} $${open", "chat.test $${open"),
            ("$$$${domain}", "$$chat.test"),
        ];
        for (line, expected) in cases {
            assert_eq!(expand(line, &variables).text, expected, "{line}");
        }
    }

    #[test]
    fn columns_are_those_of_the_line_as_written() {
        let variables = Variables::new(&[("d".into(), "chat.test".into())], &[]);
        let expanded = expand("ab $${d} <x/>", &variables);
        assert_eq!(expanded.column_of(1), 1);
        let x = expanded.text.find("<x").unwrap();
        assert_eq!(expanded.column_of(x), 9);
    }
}
