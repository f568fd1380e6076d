//! One expression: its forms, its limits, its matches.

use crossbeam_queue::ArrayQueue;
use pcre2::bytes::{CaptureLocations, Regex, RegexBuilder};

use crate::Captures;
use crate::plain::Plain;

/// Put before each pattern: no pattern and no subject can hold a thread. The numbers cut a catastrophic pattern after
/// about 0.2 ms; a pattern can lower them for itself, not raise them.
const LIMITS: &str = "(*LIMIT_MATCH=20000)(*LIMIT_DEPTH=20000)";

/// Octets of stack that a compiled pattern may use, for long subjects.
const JIT_STACK: usize = 512 * 1024;

/// Rooms for captures that an expression keeps: one for each thread that may match at once.
const KEPT_ROOMS: usize = 16;

/// Why an expression can't be used. It then matches nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ExpressionError {
    #[error("the expression {expression} starts with / but has no / at its end")]
    NoEnd { expression: String },
    #[error("the expression {expression} does not compile at character {offset}: {why}")]
    Pattern { expression: String, offset: usize, why: String },
}

/// A match was given up: the expression is one that takes for ever on some subjects.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the match is too costly: {0}")]
pub struct TooCostly(String);

/// A compiled expression.
#[derive(Debug)]
pub struct Expression(Matcher);

#[derive(Debug)]
enum Matcher {
    /// A pattern without any operator but its anchors: no need to run PCRE.
    Plain(Plain),
    Regex(Box<Pattern>),
}

/// A pattern for PCRE, and room for what it captures: making that room costs more than most matches.
#[derive(Debug)]
struct Pattern {
    regex: Regex,
    /// As many as threads match at once; one more makes its own.
    rooms: ArrayQueue<CaptureLocations>,
}

impl Expression {
    /// Compiles an expression in any of FreeSWITCH's forms: a pattern, `/pattern/flags` with `i` and `s`, or `_` and an
    /// Asterisk pattern. FreeSWITCH switch_regex.c `switch_regex_perform`.
    pub fn new(text: &str) -> Result<Self, ExpressionError> {
        let asterisk = text.strip_prefix('_').map(asterisk_pattern);
        let text = asterisk.as_deref().unwrap_or(text);
        let Some(rest) = text.strip_prefix('/') else {
            return Self::of_pattern(text, "");
        };
        let (pattern, flags) =
            rest.rsplit_once('/').ok_or_else(|| ExpressionError::NoEnd { expression: text.to_owned() })?;
        Self::of_pattern(pattern, flags)
    }

    fn of_pattern(pattern: &str, flags: &str) -> Result<Self, ExpressionError> {
        let caseless = flags.contains('i');
        if let Some(plain) = Plain::of(pattern).filter(|_| !caseless) {
            return Ok(Self(Matcher::Plain(plain)));
        }
        RegexBuilder::new()
            .caseless(caseless)
            .dotall(flags.contains('s'))
            .jit_if_available(true)
            .max_jit_stack_size(Some(JIT_STACK))
            .build(&format!("{LIMITS}{pattern}"))
            .map(|regex| {
                Self(Matcher::Regex(Box::new(Pattern { regex, rooms: ArrayQueue::new(KEPT_ROOMS) })))
            })
            .map_err(|error| ExpressionError::Pattern {
                expression: pattern.to_owned(),
                offset: error.offset().unwrap_or(LIMITS.len()).saturating_sub(LIMITS.len()),
                why: error.to_string(),
            })
    }

    /// Whether the subject matches; an error when the match runs into the limits.
    pub fn is_match(&self, subject: &str) -> Result<bool, TooCostly> {
        match &self.0 {
            Matcher::Plain(plain) => Ok(plain.is_match(subject.as_bytes())),
            Matcher::Regex(pattern) => pattern.regex.is_match(subject.as_bytes()).map_err(TooCostly::from),
        }
    }

    /// What the subject matches, with its groups; an error when the match runs into the limits.
    pub fn captures(&self, subject: &str) -> Result<Option<Captures>, TooCostly> {
        match &self.0 {
            Matcher::Plain(plain) => Ok(plain.find(subject.as_bytes()).map(Captures::of_whole)),
            Matcher::Regex(pattern) => pattern.captures(subject),
        }
    }
}

impl Pattern {
    fn captures(&self, subject: &str) -> Result<Option<Captures>, TooCostly> {
        let mut room = self.rooms.pop().unwrap_or_else(|| self.regex.capture_locations());
        let found = self.regex.captures_read(&mut room, subject.as_bytes());
        let captures = found.map(|found| found.map(|_| Captures::read(&room)));
        // It is one too many when the queue is full.
        let _ = self.rooms.push(room);
        captures.map_err(TooCostly::from)
    }
}

impl From<pcre2::Error> for TooCostly {
    fn from(error: pcre2::Error) -> Self {
        Self(error.to_string())
    }
}

/// An Asterisk pattern as a regular one. FreeSWITCH `switch_ast2regex`.
fn asterisk_pattern(pattern: &str) -> String {
    let mut regex = String::from("^");
    for letter in pattern.chars() {
        match letter {
            'N' => regex.push_str("[2-9]"),
            'X' => regex.push_str("[0-9]"),
            'Z' => regex.push_str("[1-9]"),
            '.' => regex.push_str(".*"),
            _ => regex.push(letter),
        }
    }
    regex.push('$');
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, subject: &str, expect: bool) {
        let compiled = Expression::new(expression).expect("it compiles");
        assert_eq!(compiled.is_match(subject), Ok(expect), "{expression} on {subject}");
        let captures = compiled.captures(subject).expect("it is cheap");
        assert_eq!(captures.is_some(), expect, "{expression} on {subject}, with groups");
    }

    #[test]
    fn every_form_is_known() {
        check("^hello", "hello there", true);
        check("^HELLO", "hello there", false);
        check("/^HELLO/i", "hello there", true);
        check("/hello/", "say hello", true);
        check("/a.b/", "a\nb", false);
        check("/a.b/s", "a\nb", true);
        check("hello/i", "hello there", false);
        check("_1NXX", "1234", true);
        check("_1NXX", "1134", false);
        check("_X.", "1abc", true);
        check("_1NXXNXXXXXX", "12125551212", true);
        check("_1NXXNXXXXXX", "1212555121", false);
        check("", "anything", true);
        check("^(.)(.)$", "é€", false);
        check("(?i)^HELLO", "hello", true);
    }

    #[test]
    fn a_bad_expression_says_where() {
        let error = |expression| Expression::new(expression).expect_err("it does not compile").to_string();
        assert!(error("a(").contains("at character 2"), "{}", error("a("));
        assert!(error("/abc").contains("no / at its end"));
    }

    #[test]
    fn a_catastrophe_is_cut() {
        let compiled = Expression::new("^(a+)+$").expect("it compiles");
        let subject = format!("{}b", "a".repeat(4_000));
        assert!(compiled.is_match(&subject).is_err());
        assert!(compiled.captures(&subject).is_err());
    }
}
