//! Parameters of URIs and header values: `;tag=a;lr;q="0.5"`.

use crate::lex::{PARAM_VALUE, TOKEN, find, is_token, is_visible, quoted_length, span, strip_quotes, trim};

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
        self.pieces().filter_map(|piece| match piece {
            Piece::Plain(param) => Some(param),
            Piece::Odd(b"") => None,
            Piece::Odd(text) => Some(param(text)),
        })
    }

    /// Shows `visit` each parameter, and says whether each is what RFC 3261 §25.1 calls a generic-param. Values are taken
    /// more leniently than the grammar says: any text without white space and quotes, or one quoted string.
    pub(crate) fn check(&self, mut visit: impl FnMut(Param<'a>)) -> bool {
        self.pieces().all(|piece| {
            let (param, good) = match piece {
                Piece::Plain(param) => (param, true),
                Piece::Odd(text) => {
                    let param = param(text);
                    (param, is_token(param.name) && param.value.is_none_or(is_param_value))
                }
            };
            visit(param);
            good
        })
    }

    fn pieces(&self) -> Pieces<'a> {
        Pieces { rest: (!self.text.is_empty()).then(|| self.text.strip_prefix(b";").unwrap_or(self.text)) }
    }
}

fn param(piece: &[u8]) -> Param<'_> {
    match find(b'=', piece) {
        Some(at) => Param { name: trim(&piece[..at]), value: Some(trim(&piece[at + 1..])) },
        None => Param { name: piece, value: None },
    }
}

fn is_param_value(value: &[u8]) -> bool {
    match value.first() {
        None => false,
        Some(b'"') => quoted_length(value) == Some(value.len()),
        Some(_) => is_visible(value) && find(b',', value).is_none(),
    }
}

/// What stands between two semicolons.
enum Piece<'a> {
    /// A well-formed parameter of the usual kind: a token, and perhaps a value without white space and quotes.
    Plain(Param<'a>),
    /// Anything else, trimmed; perhaps nothing.
    Odd(&'a [u8]),
}

struct Pieces<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    #[inline]
    fn next(&mut self) -> Option<Piece<'a>> {
        let rest = self.rest?;
        let (piece, end) = match plain(rest) {
            Some((param, end)) => (Piece::Plain(param), end),
            None => {
                let end = semicolon(rest).unwrap_or(rest.len());
                (Piece::Odd(trim(&rest[..end])), end)
            }
        };
        self.rest = rest.get(end + 1..);
        Some(piece)
    }
}

/// The parameter that `text` starts with, if it is of the usual kind, and where it ends.
#[inline]
fn plain(text: &[u8]) -> Option<(Param<'_>, usize)> {
    let name_end = span::<TOKEN>(text);
    let (name, after) = text.split_at(name_end);
    if name.is_empty() {
        return None;
    }
    match after {
        [] | [b';', ..] => Some((Param { name, value: None }, name_end)),
        [b'=', after @ ..] => {
            let length = span::<PARAM_VALUE>(after);
            let ends = matches!(after.get(length), None | Some(b';'));
            let param = Param { name, value: Some(&after[..length]) };
            (ends && length > 0).then_some((param, name_end + 1 + length))
        }
        _ => None,
    }
}

/// Where the first semicolon outside quoted strings stands.
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
            assert_eq!(Params::of(text.as_bytes()).check(|_| ()), good, "{text}");
        }
    }
}
