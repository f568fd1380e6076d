//! Text of the server, made safe for a terminal.
//!
//! A message's body, a header of an event and a log line hold what a stranger wrote. A terminal that is sent their control
//! characters can be told to hide lines, to change its title, or to type for its user; so they are shown, not sent.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with its control characters written out: `\x1b`, `\u{9b}`, `\u{202e}`. Line feeds and tabs stay, and a
/// carriage return before a line feed goes.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' if letters.peek() == Some(&'\n') => {}
            _ if !is_unsafe(letter) => safe.push(letter),
            // Writing to a String does not fail.
            _ if letter.is_ascii() => drop(write!(safe, "\\x{:02x}", u32::from(letter))),
            _ => drop(write!(safe, "\\u{{{:x}}}", u32::from(letter))),
        }
    }
    Cow::Owned(safe)
}

/// As [`printable`], in one line and no longer than `most` letters: for a prompt or a list.
pub fn word(text: &str, most: usize) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    printable(line).replace('\t', " ").chars().take(most).collect()
}

/// Control characters (C0, DEL, C1), and those that turn the reading direction of what follows.
fn is_unsafe(letter: char) -> bool {
    match letter {
        '\n' | '\t' => false,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => letter.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        for (text, expected) in [
            ("plain ž 你\tb\n", "plain ž 你\tb\n"),
            ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
            ("a\x1b[2Jb", "a\\x1b[2Jb"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("over\rwritten", "over\\x0dwritten"),
            ("a\r\nb", "a\nb"),
            ("back\x08\x7f", "back\\x08\\x7f"),
            ("user\u{202e}txt", "user\\u{202e}txt"),
        ] {
            assert_eq!(printable(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_word_is_short_and_one_line() {
        assert_eq!(word(" host\x1b[1m\nsecond", 99), "host\\x1b[1m");
        assert_eq!(word("žluťoučký", 3), "žlu");
    }
}
