//! Parameters of URIs and header values: `;tag=a;lr;q="0.5"`.

use crate::lex::{is_token, is_visible, quoted_length, strip_quotes, trim};

/// One parameter, as it was written, without the white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// Its name; names know no case.
    pub name: &'a [u8],
    /// What follows `=`, quotes kept; `None` for a name alone.
    pub value: Option<&'a [u8]>,
}

/// Parameters in the order they were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a> {
    text: &'a [u8],
}

impl<'a> Params<'a> {
    /// Reads parameters from text that starts with `;` or is empty.
    pub fn of(text: &'a [u8]) -> Self {
        Params { text }
    }

    /// The text with its first `;`.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The value of the first parameter of that name, without quotes around it. `None` when there is no such parameter
    /// or it has no value; [`Params::has`] tells the two apart.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.find(name)?.value.map(strip_quotes)
    }

    /// Whether there is a parameter of that name, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The first parameter of that name.
    pub fn find(&self, name: &str) -> Option<Param<'a>> {
        self.iter().find(|param| param.name.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// All of them. Empty ones are skipped.
    pub fn iter(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        self.pieces().filter(|piece| !piece.is_empty()).map(param)
    }

    /// Whether each is what RFC 3261 §25.1 calls a generic-param. Values are taken more leniently than the grammar
    /// says: any text without white space and quotes, or one quoted string.
    pub(crate) fn are_well_formed(&self) -> bool {
        self.pieces().all(|piece| {
            let Param { name, value } = param(piece);
            is_token(name) && value.is_none_or(is_param_value)
        })
    }

    fn pieces(&self) -> Pieces<'a> {
        Pieces { rest: (!self.text.is_empty()).then(|| self.text.strip_prefix(b";").unwrap_or(self.text)) }
    }
}

fn param(piece: &[u8]) -> Param<'_> {
    match memchr::memchr(b'=', piece) {
        Some(at) => Param { name: trim(&piece[..at]), value: Some(trim(&piece[at + 1..])) },
        None => Param { name: piece, value: None },
    }
}

fn is_param_value(value: &[u8]) -> bool {
    match value.first() {
        None => false,
        Some(b'"') => quoted_length(value) == Some(value.len()),
        Some(_) => is_visible(value) && memchr::memchr(b',', value).is_none(),
    }
}

/// The text between the semicolons, trimmed, empty pieces included.
struct Pieces<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let end = semicolon(rest);
        self.rest = end.map(|end| &rest[end + 1..]);
        Some(trim(&rest[..end.unwrap_or(rest.len())]))
    }
}

fn semicolon(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b';', b'"', &text[at..])?;
        if text[at] == b';' {
            return Some(at);
        }
        at += quoted_length(&text[at..])?;
    }
}

#[cfg(test)]
mod tests {
    use super::Params;

    fn get<'a>(text: &'a str, name: &str) -> Option<&'a str> {
        Params::of(text.as_bytes()).get(name).map(|value| std::str::from_utf8(value).unwrap())
    }

    #[test]
    fn names_know_no_case_and_quotes_hold_together() {
        assert_eq!(get(";tag=1;LR", "TAG"), Some("1"));
        assert_eq!(get(r#"; a = "x;y" ; b=2"#, "a"), Some("x;y"));
        assert_eq!(get(r#"; a = "x;y" ; b=2"#, "b"), Some("2"));
        assert_eq!(get(";lr", "lr"), None);
        assert!(Params::of(b";lr").has("lr"));
        assert!(!Params::of(b"").has("lr"));
    }

    #[test]
    fn form() {
        for (text, good) in [
            ("", true),
            (";a", true),
            (";a=1 ; b=\"c d\"", true),
            (";a=[::1]:5060", true),
            (";", false),
            (";;", false),
            (";a=", false),
            (";a=1;", false),
            (";a b", false),
            (";a=\"x\"y", false),
            (";a=1,", false),
        ] {
            assert_eq!(Params::of(text.as_bytes()).are_well_formed(), good, "{text}");
        }
    }
}
