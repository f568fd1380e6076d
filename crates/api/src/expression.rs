//! FreeSWITCH's regular expressions: PCRE, with three spellings and a bound on the work.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use pcre2::bytes::{Regex, RegexBuilder};

/// No expression may take more steps than this on one text, so that none can hang a thread.
const LIMITS: &str = "(*LIMIT_MATCH=20000)(*LIMIT_DEPTH=20000)";

/// A compiled expression: a plain one; `/EXPRESSION/is`, with flags; or `_` and a dial pattern, where N, X and Z are
/// digits (FreeSWITCH switch_regex_perform).
#[derive(Clone, Debug)]
pub struct Expression(Regex);

impl Expression {
    /// `None` when it does not compile.
    pub fn new(text: &str) -> Option<Self> {
        let (pattern, flags) = match text.strip_prefix('/') {
            Some(rest) => rest.rsplit_once('/').map(|(pattern, flags)| (pattern.to_owned(), flags))?,
            None => (text.strip_prefix('_').map_or_else(|| text.to_owned(), dial_pattern), ""),
        };
        let regex = RegexBuilder::new()
            .caseless(flags.contains('i'))
            .dotall(flags.contains('s'))
            .build(&format!("{LIMITS}{pattern}"));
        regex.ok().map(Self)
    }

    /// A match that takes too long counts as none.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text.as_bytes()).unwrap_or(false)
    }

    /// What the expression found in the text, if anything.
    pub fn captures(&self, text: &str) -> Option<Captures> {
        let found = self.0.captures(text.as_bytes()).ok()??;
        let group =
            |number| found.get(number).map(|part| String::from_utf8_lossy(part.as_bytes()).into_owned());
        Some(Captures((0..found.len()).map(group).collect()))
    }
}

/// Expressions that were compiled before, since a chatplan asks for the same few with each message.
///
/// Holds [`Compiled::MOST`] of them; one more, and it starts over.
#[derive(Default)]
pub(crate) struct Compiled(ArcSwap<HashMap<String, Option<Expression>>>);

impl Compiled {
    const MOST: usize = 256;

    pub(crate) fn get(&self, text: &str) -> Option<Expression> {
        if let Some(known) = self.0.load().get(text) {
            return known.clone();
        }
        let expression = Expression::new(text);
        let mut compiled = HashMap::clone(&self.0.load());
        if compiled.len() >= Self::MOST {
            compiled.clear();
        }
        compiled.insert(text.to_owned(), expression.clone());
        // Of two threads that add at the same moment one is in vain, which costs a compilation.
        self.0.store(Arc::new(compiled));
        expression
    }
}

/// What an expression found in a text.
#[derive(Clone, Debug)]
pub struct Captures(Vec<Option<String>>);

impl Captures {
    /// Group 0 is the whole match.
    pub fn group(&self, number: usize) -> Option<&str> {
        self.0.get(number)?.as_deref()
    }
}

fn dial_pattern(pattern: &str) -> String {
    let mut expression = String::from("^");
    for character in pattern.chars() {
        match character {
            'N' => expression.push_str("[2-9]"),
            'X' => expression.push_str("[0-9]"),
            'Z' => expression.push_str("[1-9]"),
            '.' => expression.push_str(".*"),
            other => expression.push(other),
        }
    }
    expression + "$"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for (text, expression, expected) in [
            ("abc", "^B", false),
            ("abc", "/^A/i", true),
            ("a\nb", "/a.b/s", true),
            ("a\nb", "a.b", false),
            ("abc", "/abc", false),
            ("12125551212", "_1NXXNXXXXXX", true),
            ("1212555121", "_1NXXNXXXXXX", false),
            ("abc", "(", false),
        ] {
            let matches = Expression::new(expression).is_some_and(|compiled| compiled.matches(text));
            assert_eq!(matches, expected, "{expression}");
        }
    }

    #[test]
    fn compiled_expressions_are_kept_but_not_all() {
        let compiled = Compiled::default();
        for number in 0..3 * Compiled::MOST {
            assert!(
                compiled.get(&format!("^{number}$")).is_some_and(|known| known.matches(&number.to_string()))
            );
            assert!(compiled.get("(").is_none());
            assert!(compiled.0.load().len() <= Compiled::MOST);
        }
        assert!(compiled.0.load().contains_key("("));
    }

    #[test]
    fn a_catastrophic_expression_ends() {
        let expression = Expression::new("^(a+)+$x").expect("compiles");
        assert!(!expression.matches(&"a".repeat(2_000)));
    }
}
