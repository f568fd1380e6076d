//! Regular expressions, PCRE2's as FreeSWITCH's chatplans are written for.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use pcre2::bytes::{CaptureLocations, Regex, RegexBuilder};
use smallvec::SmallVec;

use crate::limits::MAX_CACHED_EXPRESSIONS;
use crate::plain::Plain;

/// Put before each pattern: no pattern and no subject can hold a shard. The numbers cut a catastrophic pattern after
/// about 0.2 ms; a pattern can lower them for itself, not raise them.
const LIMITS: &str = "(*LIMIT_MATCH=20000)(*LIMIT_DEPTH=20000)";

/// Octets of stack that a compiled pattern may use, for long subjects.
const JIT_STACK: usize = 512 * 1024;

/// Rooms for captures that an expression keeps: one for each thread that may match at once.
const KEPT_ROOMS: usize = 16;

/// Why an expression can't be used. It then matches nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum ExpressionError {
    #[error("the expression {expression} starts with / but has no / at its end")]
    NoEnd { expression: String },
    #[error("the expression {expression} does not compile at character {offset}: {why}")]
    Pattern { expression: String, offset: usize, why: String },
}

/// A match was given up: the expression is one that takes for ever on some subjects.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the match is too costly: {0}")]
pub(crate) struct TooCostly(String);

/// A condition's expression.
#[derive(Debug)]
pub(crate) enum Expression {
    /// Nothing in it depends on the message.
    Fixed(Arc<Compiled>),
    /// It has `${...}` in it.
    Expanded(String),
}

/// An expression's text and what it matches.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) text: String,
    /// It may have groups: FreeSWITCH goes by a `(` anywhere in it.
    pub(crate) groups: bool,
    pub(crate) matcher: Result<Matcher, ExpressionError>,
}

impl Compiled {
    pub(crate) fn new(text: String) -> Self {
        let matcher = Matcher::compile(&text);
        Self { groups: text.contains('('), text, matcher }
    }

    /// As [`new`](Self::new), from this thread's cache.
    pub(crate) fn cached(text: String) -> Arc<Self> {
        thread_local! {
            static CACHE: RefCell<HashMap<String, Arc<Compiled>>> = RefCell::new(HashMap::new());
        }
        CACHE.with_borrow_mut(|cache| {
            if let Some(compiled) = cache.get(&text) {
                return compiled.clone();
            }
            if cache.len() >= MAX_CACHED_EXPRESSIONS {
                cache.clear();
            }
            let compiled = Arc::new(Self::new(text.clone()));
            cache.insert(text, compiled.clone());
            compiled
        })
    }

    /// What the subject matches; the groups are read only where there may be some. A match that runs into the limits
    /// is an error; an expression that does not compile matches nothing.
    pub(crate) fn captures(&self, subject: &str) -> Result<Option<Captures>, TooCostly> {
        match &self.matcher {
            Ok(matcher) if self.groups => matcher.captures(subject),
            Ok(matcher) => Ok(matcher.is_match(subject)?.then(Captures::default)),
            Err(_) => Ok(None),
        }
    }
}

/// A compiled expression.
#[derive(Debug)]
pub(crate) enum Matcher {
    /// A pattern without any operator but its anchors: no need to run PCRE.
    Plain(Plain),
    Regex(Box<Pattern>),
}

/// A pattern for PCRE, and room for what it captures: making that room costs more than most matches.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    /// As many as threads match at once; one more makes its own.
    rooms: ArrayQueue<CaptureLocations>,
}

impl Matcher {
    /// Compiles an expression in any of FreeSWITCH's forms: a pattern, `/pattern/flags` with `i` and `s`, or `_` and an
    /// Asterisk pattern. FreeSWITCH switch_regex.c `switch_regex_perform`.
    pub(crate) fn compile(expression: &str) -> Result<Self, ExpressionError> {
        let asterisk = expression.strip_prefix('_').map(asterisk_pattern);
        let expression = asterisk.as_deref().unwrap_or(expression);
        let Some(rest) = expression.strip_prefix('/') else {
            return Self::pattern(expression, "");
        };
        let (pattern, flags) = rest
            .rsplit_once('/')
            .ok_or_else(|| ExpressionError::NoEnd { expression: expression.to_owned() })?;
        Self::pattern(pattern, flags)
    }

    fn pattern(pattern: &str, flags: &str) -> Result<Self, ExpressionError> {
        let caseless = flags.contains('i');
        if let Some(plain) = Plain::of(pattern).filter(|_| !caseless) {
            return Ok(Self::Plain(plain));
        }
        RegexBuilder::new()
            .caseless(caseless)
            .dotall(flags.contains('s'))
            .jit_if_available(true)
            .max_jit_stack_size(Some(JIT_STACK))
            .build(&format!("{LIMITS}{pattern}"))
            .map(|regex| Self::Regex(Box::new(Pattern { regex, rooms: ArrayQueue::new(KEPT_ROOMS) })))
            .map_err(|error| ExpressionError::Pattern {
                expression: pattern.to_owned(),
                offset: error.offset().unwrap_or(LIMITS.len()).saturating_sub(LIMITS.len()),
                why: error.to_string(),
            })
    }

    pub(crate) fn is_match(&self, subject: &str) -> Result<bool, TooCostly> {
        match self {
            Self::Plain(plain) => Ok(plain.is_match(subject.as_bytes())),
            Self::Regex(pattern) => pattern.regex.is_match(subject.as_bytes()).map_err(TooCostly::from),
        }
    }

    pub(crate) fn captures(&self, subject: &str) -> Result<Option<Captures>, TooCostly> {
        match self {
            Self::Plain(plain) => Ok(plain.find(subject.as_bytes()).map(Captures::of_whole)),
            Self::Regex(pattern) => pattern.captures(subject),
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

/// What the groups of an expression captured, as places in the subject.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Captures {
    groups: SmallVec<[Option<(usize, usize)>; 6]>,
}

impl Captures {
    fn of_whole(whole: (usize, usize)) -> Self {
        Self { groups: SmallVec::from_slice(&[Some(whole)]) }
    }

    fn read(room: &CaptureLocations) -> Self {
        let mut groups: SmallVec<_> = (0..room.len()).map(|group| room.get(group)).collect();
        // PCRE counts up to the last group that took part.
        while groups.last() == Some(&None) {
            groups.pop();
        }
        Self { groups }
    }

    /// Groups up to the last that took part, the whole match included; FreeSWITCH's match count.
    pub(crate) fn count(&self) -> usize {
        self.groups.len().max(1)
    }

    /// What a group captured; nothing for one that took no part.
    pub(crate) fn group<'s>(&self, subject: &'s [u8], group: usize) -> &'s [u8] {
        self.span(group).and_then(|(start, end)| subject.get(start..end)).unwrap_or_default()
    }

    pub(crate) fn span(&self, group: usize) -> Option<(usize, usize)> {
        self.groups.get(group).copied().flatten()
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
        let matcher = Matcher::compile(expression).expect("it compiles");
        assert_eq!(matcher.is_match(subject), Ok(expect), "{expression} on {subject}");
        let captures = matcher.captures(subject).expect("it is cheap");
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
        check("", "anything", true);
        check("^(.)(.)$", "é€", false);
        check("(?i)^HELLO", "hello", true);
    }

    #[test]
    fn a_bad_expression_says_where() {
        let error = |expression| Matcher::compile(expression).expect_err("it does not compile").to_string();
        assert!(error("a(").contains("at character 2"), "{}", error("a("));
        assert!(error("/abc").contains("no / at its end"));
    }

    #[test]
    fn a_catastrophe_is_cut() {
        let matcher = Matcher::compile("^(a+)+$").expect("it compiles");
        let subject = format!("{}b", "a".repeat(4_000));
        assert!(matcher.is_match(&subject).is_err());
        assert!(matcher.captures(&subject).is_err());
    }

    #[test]
    fn groups_that_took_no_part_at_the_end_do_not_count() {
        let captures = Matcher::compile("^(a)?(b)(x)?")
            .expect("it compiles")
            .captures("bc")
            .expect("it is cheap")
            .expect("it matches");
        assert_eq!(captures.count(), 3);
        assert_eq!(captures.span(1), None);
        assert_eq!(captures.group(b"bc", 2), b"b");
    }

    #[test]
    fn the_cache_is_bounded() {
        for number in 0..MAX_CACHED_EXPRESSIONS + 10 {
            assert!(Compiled::cached(format!("^{number}$")).captures(&number.to_string()) != Ok(None));
        }
    }
}
