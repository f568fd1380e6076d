//! One expression: its forms, its limits, its matches.

use std::borrow::Cow;
use std::sync::OnceLock;

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
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
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

/// A pattern for PCRE. It becomes machine code when it is matched for the first time: of a long chatplan's patterns hardly
/// any ever is.
#[derive(Debug)]
struct Pattern {
    source: String,
    caseless: bool,
    dotall: bool,
    ready: OnceLock<Result<Ready, TooCostly>>,
}

/// Machine code, and room for what it captures: making that room costs more than most matches.
#[derive(Debug)]
struct Ready {
    regex: Regex,
    /// As many as threads match at once; one more makes its own.
    rooms: ArrayQueue<CaptureLocations>,
}

/// An expression's pattern and flags, whichever way they are written.
pub(crate) struct Form<'t> {
    pub(crate) pattern: Cow<'t, str>,
    flags: &'t str,
}

impl<'t> Form<'t> {
    pub(crate) fn of(text: &'t str) -> Result<Self, ExpressionError> {
        let plain = |pattern| Self { pattern, flags: "" };
        // FreeSWITCH reads the regular expression that an Asterisk pattern became like any other: it starts with `^`.
        if let Some(pattern) = text.strip_prefix('_') {
            return Ok(plain(Cow::Owned(asterisk_pattern(pattern))));
        }
        let Some(rest) = text.strip_prefix('/') else { return Ok(plain(Cow::Borrowed(text))) };
        let (pattern, flags) =
            rest.rsplit_once('/').ok_or_else(|| ExpressionError::NoEnd { expression: text.to_owned() })?;
        Ok(Self { pattern: Cow::Borrowed(pattern), flags })
    }

    pub(crate) fn caseless(&self) -> bool {
        self.flags.contains('i')
    }
}

impl Expression {
    /// Compiles an expression in any of FreeSWITCH's forms: a pattern, `/pattern/flags` with `i` and `s`, or `_` and an
    /// Asterisk pattern. FreeSWITCH switch_regex.c `switch_regex_perform`.
    pub fn new(text: &str) -> Result<Self, ExpressionError> {
        Self::of(text, |pattern| pattern.make_ready())
    }

    /// As [`new`](Self::new), for one of many expressions, most of which will not be matched: it is checked, and compiled
    /// when it is matched for the first time.
    pub fn deferred(text: &str) -> Result<Self, ExpressionError> {
        Self::of(text, |pattern| pattern.builder().build(&pattern.limited()).map(drop))
    }

    fn of(text: &str, check: impl Fn(&Pattern) -> Result<(), pcre2::Error>) -> Result<Self, ExpressionError> {
        let form = Form::of(text)?;
        let (caseless, dotall) = (form.caseless(), form.flags.contains('s'));
        if let Some(plain) = Plain::of(&form.pattern).filter(|_| !caseless) {
            return Ok(Self(Matcher::Plain(plain)));
        }
        let source = form.pattern.into_owned();
        let pattern = Pattern { source, caseless, dotall, ready: OnceLock::new() };
        match check(&pattern) {
            Ok(()) => Ok(Self(Matcher::Regex(Box::new(pattern)))),
            Err(error) => Err(ExpressionError::Pattern {
                expression: pattern.source,
                offset: error.offset().unwrap_or(LIMITS.len()).saturating_sub(LIMITS.len()),
                why: error.to_string(),
            }),
        }
    }

    /// Whether the subject matches; an error when the match runs into the limits.
    pub fn is_match(&self, subject: &str) -> Result<bool, TooCostly> {
        match &self.0 {
            Matcher::Plain(plain) => Ok(plain.is_match(subject.as_bytes())),
            Matcher::Regex(pattern) => pattern.is_match(subject),
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
    fn is_match(&self, subject: &str) -> Result<bool, TooCostly> {
        Ok(self.ready()?.regex.is_match(subject.as_bytes())?)
    }

    fn captures(&self, subject: &str) -> Result<Option<Captures>, TooCostly> {
        let Ready { regex, rooms } = self.ready()?;
        let mut room = rooms.pop().unwrap_or_else(|| regex.capture_locations());
        let found = regex.captures_read(&mut room, subject.as_bytes());
        let captures = found.map(|found| found.map(|_| Captures::read(&room)));
        // It is one too many when the queue is full.
        let _ = rooms.push(room);
        Ok(captures?)
    }

    /// The machine code. There is none only where memory is short, since the pattern was checked.
    fn ready(&self) -> Result<&Ready, TooCostly> {
        self.ready.get_or_init(|| self.compile().map_err(TooCostly::from)).as_ref().map_err(TooCostly::clone)
    }

    fn make_ready(&self) -> Result<(), pcre2::Error> {
        let ready = self.compile()?;
        self.ready.get_or_init(|| Ok(ready));
        Ok(())
    }

    fn compile(&self) -> Result<Ready, pcre2::Error> {
        let regex = self.builder().jit_if_available(true).build(&self.limited())?;
        Ok(Ready { regex, rooms: ArrayQueue::new(KEPT_ROOMS) })
    }

    fn builder(&self) -> RegexBuilder {
        let mut builder = RegexBuilder::new();
        builder.caseless(self.caseless).dotall(self.dotall).max_jit_stack_size(Some(JIT_STACK));
        builder
    }

    fn limited(&self) -> String {
        format!("{LIMITS}{}", self.source)
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
