//! What a text must have in it for an expression to match: literals that can be looked for, in a table of many expressions
//! at once, before PCRE is asked.
//!
//! What is said here is necessary, never sufficient: where an expression has something that is not understood, nothing is
//! said of it. What its assertions (`\b`, for instance) ask for is left aside, which only says less.

mod piece;
mod reader;

use self::piece::{Piece, Set, worth};
use crate::expression::Form;

/// Where in the text the literal must be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Place {
    /// It is the text, but for a newline that may end it.
    Whole,
    Start,
    /// At the end, or before a newline that ends the text.
    End,
    /// Anywhere.
    Inside,
}

/// What a text must have in it: one of the literals, at that place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Need {
    pub place: Place,
    /// ASCII letters count without regard to case; the literals are in lower case then.
    pub caseless: bool,
    /// Not empty ones, but for [`Place::Whole`]; at most 128 of them, of 64 octets at most.
    pub literals: Vec<Vec<u8>>,
}

impl Need {
    /// Whether the text has what is needed.
    pub fn is_met(&self, text: &[u8]) -> bool {
        let folded;
        let text = match self.caseless {
            true => {
                folded = text.to_ascii_lowercase();
                &*folded
            }
            false => text,
        };
        let bare = text.strip_suffix(b"\n").unwrap_or(text);
        self.literals.iter().any(|literal| match self.place {
            Place::Whole => literal == text || literal == bare,
            Place::Start => text.starts_with(literal),
            Place::End => text.ends_with(literal) || bare.ends_with(literal),
            Place::Inside => memchr::memmem::find(text, literal).is_some(),
        })
    }
}

/// The needs of an expression, each of which a text meets that it matches; none where nothing is known.
pub fn needs(expression: &str) -> Vec<Need> {
    let Ok(form) = Form::of(expression) else { return Vec::new() };
    let pattern = form.pattern.as_bytes();
    let (pattern, caseless) = match pattern.strip_prefix(b"(?i)") {
        Some(rest) => (rest, true),
        None => (pattern, form.caseless()),
    };
    reader::read(pattern).map_or_else(Vec::new, |piece| of_piece(piece, caseless))
}

fn of_piece(piece: Piece, caseless: bool) -> Vec<Need> {
    let (from_start, to_end) = (piece.from_start, piece.to_end);
    let need = |place, literals: Set| {
        let fold = |literal: Vec<u8>| if caseless { literal.to_ascii_lowercase() } else { literal };
        let mut literals: Set = literals.into_iter().map(fold).collect();
        literals.sort_unstable();
        literals.dedup();
        Need { place, caseless, literals }
    };
    let (first, last, inside) = match piece.into_literals() {
        Ok(whole) if from_start && to_end => return vec![need(Place::Whole, whole)],
        Ok(whole) if from_start => (whole, Set::new(), Set::new()),
        Ok(whole) if to_end => (Set::new(), whole, Set::new()),
        Ok(whole) => (Set::new(), Set::new(), whole),
        Err(open) => (open.first, open.last, open.inside),
    };
    [(Place::Start, from_start, first), (Place::End, to_end, last), (Place::Inside, true, inside)]
        .into_iter()
        .filter(|(_, holds, literals)| *holds && worth(literals) > 0)
        .map(|(place, _, literals)| need(place, literals))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The needs as text: `^` and `$` for the anchors, `/i` behind those without case.
    fn check(expression: &str, expect: &[&str]) {
        let told = needs(expression).into_iter().map(|need| {
            let literals: Vec<_> =
                need.literals.iter().map(|literal| String::from_utf8_lossy(literal).into_owned()).collect();
            let (start, end) = match need.place {
                Place::Whole => ("^", "$"),
                Place::Start => ("^", ""),
                Place::End => ("", "$"),
                Place::Inside => ("", ""),
            };
            format!("{start}{}{end}{}", literals.join("|"), if need.caseless { "/i" } else { "" })
        });
        assert_eq!(told.collect::<Vec<_>>(), expect, "{expression}");
    }

    #[test]
    fn literals_are_found_where_they_must_be() {
        check("^1009$", &["^1009$"]);
        check("^1009@", &["^1009@"]);
        check("@chat\\.test$", &["@chat.test$"]);
        check("hello", &["hello"]);
        check("^(1009)@(.*)$", &["^1009@", "1009@"]);
        check(r"^(\d+)@chat\.test$", &["@chat.test$", "@chat.test"]);
        check("_1NXX5", &["^1", "5$", "1"]);
        check("^$", &["^$"]);
    }

    #[test]
    fn alternatives_are_a_set() {
        check("^(1001|1002)$", &["^1001|1002$"]);
        check("^1001$|^1002$", &["^1001|1002$"]);
        check("^1001|1002$", &["1001|1002"]);
        check("^(a|b)(c|d)$", &["^ac|ad|bc|bd$"]);
        check("^1?555", &["^1555|555"]);
        check("yes|no|", &[]);
        check("[Hh]ello", &["Hello|hello"]);
    }

    #[test]
    fn case_is_told() {
        check("/^HELLO/i", &["^hello/i"]);
        check("(?i)^HELLO( World|)$", &["^hello|hello world$/i"]);
        check("/(abc|ABC)/i", &["abc/i"]);
    }

    #[test]
    fn what_may_be_missing_is_not_needed() {
        check("ab*c", &["a"]);
        check("ab+c", &["ab"]);
        check("(ab)?", &[]);
        check("(ab){2,}cd", &["abcd"]);
        check("^a{0}", &[]);
        check("a.longer", &["longer"]);
    }

    #[test]
    fn what_is_not_understood_says_nothing() {
        for expression in [
            "(?=abc)",
            "(?<n>abc)",
            "(*ACCEPT)abc",
            r"\Qabc\E",
            r"(a)\1bcd",
            "a{,3}bcd",
            "[[:x]abc",
            "abc\\",
            "a**",
            "(",
            ")",
            "/abc",
            "(?x) abc",
            r"abc\Kdef",
            "a{",
            "[abc",
        ] {
            check(expression, &[]);
        }
    }

    #[test]
    fn sets_and_literals_are_bounded() {
        let many: Vec<_> = (0..1_000).map(|number| number.to_string()).collect();
        check(&format!("^({})$", many.join("|")), &[]);
        let classes = needs("[abcd][abcd][abcd][abcd]x");
        assert!(classes.iter().all(|need| need.literals.len() <= 128), "{classes:?}");
        let long = "x".repeat(100);
        for need in needs(&format!("^{long}$")) {
            assert!(need.literals.iter().all(|literal| literal.len() <= 64), "{need:?}");
            assert!(need.is_met(long.as_bytes()));
        }
    }
}
