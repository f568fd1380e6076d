//! `regex`: matches a text against a Perl-compatible expression, and says what was captured.

use std::sync::LazyLock;

use super::Deps;
use crate::expression::{Captures, Compiled};
use crate::separate::{delimited, separate};
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "regex",
    syntax: "<data>|<pattern>[|<subst string>][n|b]",
    doc: "Evaluate a regex",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    static COMPILED: LazyLock<Compiled> = LazyLock::new(Compiled::default);
    evaluate(call.args, &COMPILED).into()
}

fn evaluate(text: &str, compiled: &Compiled) -> String {
    let (text, delimiter) = delimited(text);
    let fields = separate(text, delimiter, 4);
    let [data, pattern, rest @ ..] = fields.as_slice() else { return "-ERR".to_owned() };
    let captures = compiled.get(pattern).and_then(|expression| expression.captures(data));
    let flags = rest.get(1).map_or("", String::as_str);
    match (captures, rest.first()) {
        (captures, None) => captures.is_some().to_string(),
        (Some(captures), Some(template)) => substitute(&template.replace('%', "$"), &captures),
        (None, Some(_)) if flags.contains('n') => String::new(),
        (None, Some(_)) if flags.contains('b') => "false".to_owned(),
        (None, Some(_)) => data.clone(),
    }
}

/// Puts captures in the place of `$1` and `${1}`; other dollars stay.
fn substitute(template: &str, captures: &Captures) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match reference(rest) {
            Some((number, after)) => {
                text.push_str(captures.group(number).unwrap_or_default());
                rest = after;
            }
            None => text.push('$'),
        }
    }
    text + rest
}

/// The number in `1...` or `{1}...`, and what follows it.
fn reference(text: &str) -> Option<(usize, &str)> {
    let braced = text.strip_prefix('{');
    let digits = braced.unwrap_or(text);
    let end = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, after) = digits.split_at(end);
    let after = if braced.is_some() { after.strip_prefix('}')? } else { after };
    Some((digits.parse().ok()?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_and_substitutes() {
        for (text, expected) in [
            ("hello|^h(.*)$|%1", "ello"),
            ("hello|^h(.*)$|$1", "ello"),
            ("hello|^h(.*)$|<${1}>", "<ello>"),
            ("hello there|^(h)|%1", "h"),
            (r"m:/hello there/^(\w+)/%1", "hello"),
            ("m:~a|b~^(.)~%1", "a"),
            ("abc|z", "false"),
            ("abc|b", "true"),
            ("abc|z|%1", "abc"),
            ("abc|z|%1|n", ""),
            ("abc|z|%1|b", "false"),
            ("abc|b|%9", ""),
            ("abc|b|100%", "100$"),
            ("abc", "-ERR"),
            ("", "-ERR"),
            ("abc|(", "false"),
            ("žluť|^ž(.)|%1", "l"),
        ] {
            assert_eq!(evaluate(text, &Compiled::default()), expected, "{text}");
        }
    }
}
