//! What an `X-PRE-PROCESS` line asks for.

use super::find_ignoring_case;
use crate::nearest;

/// Known to `<X-PRE-PROCESS>`.
const COMMANDS: [&str; 6] = ["set", "include", "exec", "exec-set", "env-set", "stun-set"];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Directive<'t> {
    Set {
        name: &'t str,
        value: &'t str,
    },
    ExecSet {
        name: &'t str,
        command: &'t str,
    },
    EnvSet {
        name: &'t str,
        variable: &'t str,
    },
    StunSet {
        name: &'t str,
        server: &'t str,
    },
    Include {
        pattern: &'t str,
    },
    Exec {
        command: &'t str,
    },
    /// FreeSWITCH does nothing with it, and says nothing.
    Malformed {
        why: String,
        instead: String,
    },
}

impl<'t> Directive<'t> {
    /// The element from its name to its end. FreeSWITCH looks for the words `cmd` and `data`, each with a value in
    /// double quotes, in this order.
    pub fn of_element(element: &'t str) -> Result<Self, &'static str> {
        let (command, rest) = quoted_after(element, "cmd").ok_or("cmd=\"...\" is missing")?;
        let rest = rest.ok_or("the value of cmd has no end")?;
        let (data, end) = quoted_after(rest, "data").ok_or("data=\"...\" after cmd is missing")?;
        end.ok_or("the value of data has no end")?;
        Ok(Directive::new(command, data))
    }

    /// What stands between `<!--#` and `-->`. Any other word than a command makes it a comment.
    pub fn of_comment(inside: &'t str) -> Option<Self> {
        let inside = inside.split(['\r', '\n']).next().unwrap_or_default();
        let (command, rest) = inside.split_once(' ')?;
        let argument = match rest.split_once('"') {
            Some((_, quoted)) => quoted.split_once('"').map_or(rest, |(argument, _)| argument),
            None => rest,
        };
        if command.eq_ignore_ascii_case("env-set") {
            return Some(Directive::Malformed {
                why: "env-set is not known in a comment".into(),
                instead: format!("<X-PRE-PROCESS cmd=\"env-set\" data=\"{argument}\"/>"),
            });
        }
        COMMANDS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(command))
            .then(|| Directive::new(command, argument))
    }

    fn new(command: &str, data: &'t str) -> Self {
        match command.to_ascii_lowercase().as_str() {
            "include" => Directive::Include { pattern: data },
            "exec" => Directive::Exec { command: data },
            "env-set" => match data.split_once("=$") {
                Some((name, variable)) => Directive::EnvSet { name, variable },
                None => malformed("env-set", data, "name=$VARIABLE"),
            },
            "set" | "exec-set" | "stun-set" => match name_and_value(data) {
                Some((name, value)) if command.eq_ignore_ascii_case("set") => Directive::Set { name, value },
                Some((name, value)) if command.eq_ignore_ascii_case("exec-set") => {
                    Directive::ExecSet { name, command: value }
                }
                Some((name, value)) => Directive::StunSet { name, server: value },
                None => malformed(command, data, "name=value"),
            },
            _ => Directive::Malformed {
                why: format!("X-PRE-PROCESS has no command `{command}`"),
                instead: nearest(command, COMMANDS.into_iter())
                    .map_or_else(|| COMMANDS.join(" or "), str::to_owned),
            },
        }
    }
}

fn malformed<'t>(command: &str, data: &str, instead: &str) -> Directive<'t> {
    Directive::Malformed { why: format!("{command}: `{data}` sets nothing"), instead: instead.into() }
}

/// Blanks before the `=` and after it don't count, those at the end do.
fn name_and_value(data: &str) -> Option<(&str, &str)> {
    let (name, value) = data.split_once('=')?;
    Some((name.trim_end_matches(' '), value.trim_start_matches(' ')))
}

/// The text in double quotes after a word and an equals sign, and what follows it; no rest when the quotes don't end.
fn quoted_after<'t>(text: &'t str, word: &str) -> Option<(&'t str, Option<&'t str>)> {
    let after_word = &text[find_ignoring_case(text, word)?..];
    let after_equals = &after_word[after_word.find('=')?..];
    let (_, quoted) = after_equals.split_once('"')?;
    Some(match quoted.split_once('"') {
        Some((value, rest)) => (value, Some(rest)),
        None => (quoted, None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements() {
        let set = |name, value| Ok(Directive::Set { name, value });
        let cases = [
            ("X-PRE-PROCESS cmd=\"set\" data=\"a=b\"/>", set("a", "b")),
            ("x-pre-process CMD = \"SET\"  Data = \"a = b \"/>", set("a", "b ")),
            ("X-PRE-PROCESS cmd=\"set\" data=\"a=\"/>", set("a", "")),
            ("X-PRE-PROCESS cmd=\"set\" data=\"a=b=c\"/>", set("a", "b=c")),
            (
                "X-PRE-PROCESS cmd=\"include\" data=\"x/*.xml\"/>",
                Ok(Directive::Include { pattern: "x/*.xml" }),
            ),
            (
                "X-PRE-PROCESS cmd=\"env-set\" data=\"h=$HOME\"/>",
                Ok(Directive::EnvSet { name: "h", variable: "HOME" }),
            ),
            ("X-PRE-PROCESS data=\"a=b\" cmd=\"set\"/>", Err("data=\"...\" after cmd is missing")),
            ("X-PRE-PROCESS cmd='set' data='a=b'/>", Err("cmd=\"...\" is missing")),
        ];
        for (element, expected) in cases {
            assert_eq!(Directive::of_element(element), expected, "{element}");
        }
    }

    #[test]
    fn comments() {
        let cases = [
            ("set \"a=b\"", Some(Directive::Set { name: "a", value: "b" })),
            ("set a=b", Some(Directive::Set { name: "a", value: "b" })),
            ("include x/*.xml", Some(Directive::Include { pattern: "x/*.xml" })),
            ("comment set \"a=b\"", None),
            ("set", None),
        ];
        for (inside, expected) in cases {
            assert_eq!(Directive::of_comment(inside), expected, "{inside}");
        }
    }
}
