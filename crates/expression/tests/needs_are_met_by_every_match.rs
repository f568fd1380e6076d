//! Whatever an expression matches has what the expression is said to need.

use chappe_expression::{Expression, needs};
use proptest::collection::vec;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// Pieces that patterns are made of, well-formed and not.
const TOKENS: &[&str] = &[
    "a",
    "b",
    "c",
    "A",
    "B",
    "é",
    " ",
    "\n",
    "1",
    "ab",
    "abc",
    "a",
    "b",
    "c",
    "^",
    "$",
    "|",
    "(",
    ")",
    "(",
    ")",
    "(?:",
    "^",
    "$",
    "|",
    "(a|b)",
    "(ab|c|)",
    "(^a|b$)",
    ".",
    ".*",
    ".+",
    "*",
    "+",
    "?",
    "??",
    "*?",
    "++",
    "{2}",
    "{0}",
    "{0,1}",
    "{1,2}",
    "{,2}",
    "{1,}",
    "{",
    "}",
    "[ab]",
    "[^a]",
    "[a-c]",
    "[]a]",
    "[^]a]",
    "[a\\]b]",
    "[[:alpha:]]",
    "[[:^alpha:]b]",
    "[a",
    "]",
    "[.]",
    "[aé]",
    "\\d",
    "\\w",
    "\\S",
    "\\b",
    "\\B",
    "\\A",
    "\\z",
    "\\Z",
    "\\n",
    "\\.",
    "\\$",
    "\\^",
    "\\(",
    "\\\\",
    "\\",
    "\\Qa",
    "\\E",
    "\\1",
    "\\x61",
    "\\K",
    "\\R",
    "\\h",
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?<n>a)",
    "(?>a|b)",
    "(?|a|b)",
    "(?i)",
    "(?#a)",
    "(?x)",
    "(*ACCEPT)",
    "(*COMMIT)",
    "(?1)",
    "(?(1)a|b)",
    "-",
    "@",
    ".",
    "\\@",
    "#",
];

/// How a pattern is dressed up: what stands before it and behind it.
const FORMS: &[(&str, &str)] = &[
    ("", ""),
    ("", ""),
    ("^", ""),
    ("", "$"),
    ("^", "$"),
    ("/", "/"),
    ("/", "/i"),
    ("/^", "$/is"),
    ("(?i)", ""),
    ("_", ""),
];

const LETTERS: &[&str] =
    &["a", "b", "c", "A", "B", "C", "é", " ", "\n", "1", "-", "@", ".", "\r\n", "$", "]"];

/// A text that the pattern may match: what each token would, or another letter, or nothing.
fn subject(tokens: &[&str], choices: &[(u8, &str)]) -> String {
    let mut subject = String::new();
    for (token, (choice, letter)) in tokens.iter().zip(choices) {
        let letters = token
            .rsplit('|')
            .next()
            .unwrap_or_default()
            .replace(|sign| "^$()?:*+{}[]\\|.".contains(sign), "");
        match choice {
            0 => {}
            1 => subject.push_str(letter),
            2 => subject.push_str(&letters.repeat(2)),
            3 => subject.push_str(&letters.to_uppercase()),
            _ if letters.is_empty() && token.starts_with(['.', '\\', '[']) => subject.push_str(letter),
            _ => subject.push_str(&letters),
        }
    }
    if let Some((0, letter)) = choices.last() {
        subject.push_str(letter);
    }
    subject
}

#[test]
fn every_match_has_what_is_needed() {
    let config =
        Config { cases: 20_000, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let pattern = (vec(select(TOKENS), 1..8), select(FORMS));
    let subjects = vec(vec((0_u8..10, select(LETTERS)), 8), 24);
    let met = std::cell::Cell::new(0);
    runner
        .run(&(pattern, subjects), |((tokens, (before, behind)), subjects)| {
            let text = format!("{before}{}{behind}", tokens.concat());
            let needs = needs(&text);
            let Ok(expression) = Expression::new(&text) else { return Ok(()) };
            for subject in subjects.iter().map(|choices| subject(&tokens, choices)) {
                if expression.is_match(&subject) != Ok(true) {
                    continue;
                }
                for need in &needs {
                    if !need.is_met(subject.as_bytes()) {
                        return Err(TestCaseError::fail(format!(
                            "{text:?} matches {subject:?} without {need:?}"
                        )));
                    }
                    met.set(met.get() + 1);
                }
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(met.get() > 20_000, "too few needs were tried: {}", met.get());
}

#[test]
fn what_a_deferred_expression_matches_is_the_same() {
    for text in ["^a", "^(a+)$", "/^A/i", "_X.", "(", "/a"] {
        let (now, later) = (Expression::new(text), Expression::deferred(text));
        match (now, later) {
            (Ok(now), Ok(later)) => {
                for subject in ["", "a", "aaa", "A", "12", "b"] {
                    assert_eq!(later.is_match(subject), now.is_match(subject), "{text} on {subject}");
                    assert_eq!(later.captures(subject), now.captures(subject), "{text} on {subject}");
                }
            }
            (now, later) => assert_eq!(later.err(), now.err(), "{text}"),
        }
    }
}
