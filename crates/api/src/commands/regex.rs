//! `regex`: matches a text against a Perl-compatible expression, and says what was captured.

use chappe_expression::{Expression, substitute};

use super::Deps;
use crate::separate::{delimited, separate};
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "regex",
    syntax: "<data>|<pattern>[|<subst string>][n|b]",
    doc: "Evaluate a regex",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    evaluate(call.args).into()
}

fn evaluate(text: &str) -> String {
    let (text, delimiter) = delimited(text);
    let fields = separate(text, delimiter, 4);
    let [data, pattern, rest @ ..] = fields.as_slice() else { return "-ERR".to_owned() };
    let expression = Expression::cached(pattern);
    // One that does not compile or takes too long counts as no match.
    let captures = expression.as_ref().as_ref().ok().and_then(|known| known.captures(data).ok().flatten());
    let flags = rest.get(1).map_or("", String::as_str);
    match (captures, rest.first()) {
        (captures, None) => captures.is_some().to_string(),
        (Some(captures), Some(template)) => substitute(&template.replace('%', "$"), data, &captures),
        (None, Some(_)) if flags.contains('n') => String::new(),
        (None, Some(_)) if flags.contains('b') => "false".to_owned(),
        (None, Some(_)) => data.clone(),
    }
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
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|^(a+)+$x", "false"),
            ("žluť|^ž(.)|%1", "l"),
        ] {
            assert_eq!(evaluate(text), expected, "{text}");
        }
    }
}
