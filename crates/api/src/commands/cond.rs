//! `cond`: compares two values, and says one of two texts.

use super::Deps;
use crate::separate::separate;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "cond",
    syntax: "<expr> ? <true val> : <false val>",
    doc: "Evaluate a conditional",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    evaluate(call.args).unwrap_or_else(|| "-ERR".to_owned()).into()
}

/// `None` when the text is not of the form of [`ROW`].
fn evaluate(text: &str) -> Option<String> {
    let (left, rest) = Operand::take(text)?;
    let (operator, rest) = Operator::take(blank_free(rest))?;
    // FreeSWITCH cond_function takes the character after the operator for a blank, whatever it is.
    let mut characters = rest.chars();
    characters.next();
    let (right, rest) = Operand::take(blank_free(characters.as_str()))?;
    let values = separate(blank_free(rest).strip_prefix('?')?, ':', 2);
    let (when_true, when_false) = match values.as_slice() {
        [when_true] => (when_true.as_str(), ""),
        [when_true, when_false] => (when_true.as_str(), when_false.as_str()),
        _ => return None,
    };
    Some(if operator.holds(&left, &right) { when_true } else { when_false }.to_owned())
}

fn blank_free(text: &str) -> &str {
    text.trim_start_matches(|character: char| character.is_ascii_whitespace())
}

struct Operand<'a> {
    text: &'a str,
    quoted: bool,
}

impl<'a> Operand<'a> {
    /// A word, or a text in single quotes that a blank follows; and what comes after it.
    fn take(text: &'a str) -> Option<(Self, &'a str)> {
        let Some(inside) = text.strip_prefix('\'') else {
            let (text, rest) = text.split_once(' ')?;
            return Some((Self { text, quoted: false }, rest));
        };
        let end = closing_quote(inside)?;
        let rest = &inside[end + 1..];
        let blank = rest.starts_with(|character: char| character.is_ascii_whitespace());
        blank.then_some((Self { text: &inside[..end], quoted: true }, rest))
    }

    /// A number, as FreeSWITCH's switch_is_number sees it, unless it stands in quotes.
    fn is_number(&self) -> bool {
        let digits = self.text.strip_prefix(['-', '+']).unwrap_or(self.text);
        !self.quoted && digits.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit())
    }

    /// The number, or how long the text is.
    fn weight(&self) -> f64 {
        if self.is_number() { leading_number(self.text) } else { self.text.len() as f64 }
    }
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if matches!(bytes.peek(), Some((_, b'\\' | b'\''))) => {
                bytes.next();
            }
            b'\'' => return Some(at),
            _ => {}
        }
    }
    None
}

/// C's `atof` of a text of digits and points: what reads as a number at its start.
fn leading_number(text: &str) -> f64 {
    let second_point = text.match_indices('.').nth(1).map_or(text.len(), |(at, _)| at);
    text[..second_point].parse().unwrap_or(0.0)
}

#[derive(Clone, Copy)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Operator {
    fn take(text: &str) -> Option<(Self, &str)> {
        [
            ("==", Self::Equal),
            ("!=", Self::NotEqual),
            (">=", Self::GreaterOrEqual),
            ("<=", Self::LessOrEqual),
            (">", Self::Greater),
            ("<", Self::Less),
        ]
        .into_iter()
        .find_map(|(sign, operator)| Some((operator, text.strip_prefix(sign)?)))
    }

    fn holds(self, left: &Operand<'_>, right: &Operand<'_>) -> bool {
        let (a, b) = (left.weight(), right.weight());
        let as_text = !left.is_number() && !right.is_number();
        match self {
            Self::Equal if as_text => left.text == right.text,
            Self::NotEqual if as_text => left.text != right.text,
            Self::Equal => a == b,
            Self::NotEqual => a != b,
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares() {
        for (text, expected) in [
            ("1 == 1 ? a : b", "a"),
            ("1 == 2 ? a : b", "b"),
            ("3 < 5 ? yes : no", "yes"),
            ("10 > 9 ? yes : no", "yes"),
            ("1.50 == 1.5 ? a : b", "a"),
            ("'1.50' == '1.5' ? a : b", "b"),
            ("abc == abc ? a : b", "a"),
            ("abc != abd ? a : b", "a"),
            // Texts are greater or less by their length.
            ("abc > zz ? a : b", "a"),
            // A text beside a number counts by its length.
            ("abc == 3 ? a : b", "a"),
            ("'a b' == 'a b' ? x y : z", "x y"),
            (r"'it\'s' == 'it\'s' ? a : b", "a"),
            ("1 == 2 ? a", ""),
            ("1 == 1 ? a :", "a"),
            ("1 == 2 ? a : b:c", "b:c"),
            ("-1 < +1 ? a : b", "a"),
            ("1 = 1 ? a : b", "-ERR"),
            ("1 == 1", "-ERR"),
            ("1 == 1 ?", "-ERR"),
            ("1", "-ERR"),
            ("", "-ERR"),
            ("'a == 1 ? a : b", "-ERR"),
        ] {
            assert_eq!(evaluate(text).unwrap_or_else(|| "-ERR".to_owned()), expected, "{text}");
        }
    }
}
