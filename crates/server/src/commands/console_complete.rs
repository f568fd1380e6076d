//! `console_complete`: what the line that is being typed into fs_cli may go on with.

use std::fmt::Write;
use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use super::message;
use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "console_complete",
    syntax: "[c=<cursor>;]<line>",
    doc: "Console complete",
    module: "mod_commands",
};

/// What may stand where the cursor is.
pub(super) struct Matches {
    /// Sorted.
    pub(super) words: Vec<String>,
    /// Octets of the word that is being typed.
    pub(super) typed: usize,
}

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    answer(&matches(call, server)).into()
}

/// FreeSWITCH switch_console.c switch_console_complete. Where its modules register their words, the words come from the
/// command's syntax here; `complete` adds others.
pub(super) fn matches(call: &Call<'_>, server: &Arc<Server>) -> Matches {
    let line = up_to_cursor(call.args).trim_start_matches(' ');
    let (before, typed) = line.rsplit_once(' ').unwrap_or(("", line));
    let before: Vec<&str> = before.split_whitespace().collect();
    let rows = call.registry.rows();
    let known: Vec<&str> = match before.as_slice() {
        [] => rows.iter().map(|row| row.name).collect(),
        ["unload" | "reload"] => server.modules.loaded(),
        [command] => {
            rows.iter().find(|row| row.name == *command).map(|row| words(row.syntax)).unwrap_or_default()
        }
        ["message", words @ ..] => message::words_after(words),
        // Of a command's syntax only the first word is known.
        _ => Vec::new(),
    };
    let mut words = server.completions.after(&before, typed);
    words.extend(known.into_iter().filter(|word| word.starts_with(typed)).map(str::to_owned));
    words.sort_unstable();
    words.dedup();
    Matches { words, typed: typed.len() }
}

impl Matches {
    /// What all of them begin with.
    pub(super) fn shared(&self) -> &str {
        let Some((first, rest)) = self.words.split_first() else { return "" };
        rest.iter().fold(first.as_str(), |common, word| shared(common, word))
    }
}

/// The line that `c=CURSOR;LINE` means; the cursor counts octets.
fn up_to_cursor(args: &str) -> &str {
    let Some((cursor, line)) = args.strip_prefix("c=").and_then(|rest| rest.split_once(';')) else {
        return args;
    };
    let cursor = cursor.parse().unwrap_or(line.len());
    line.get(..cursor).unwrap_or(line)
}

/// The words that a syntax as `[status|loglevel [level]]` begins its alternatives with.
fn words(syntax: &str) -> Vec<&str> {
    let syntax = syntax.strip_prefix('[').unwrap_or(syntax);
    let mut depth = 0_i32;
    let alternatives = syntax.split(move |letter| {
        depth += i32::from("[<".contains(letter)) - i32::from("]>".contains(letter));
        letter == '|' && depth <= 0
    });
    let first = |text| {
        let text: &str = str::trim_start(text);
        let end = text.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
        &text[..end.unwrap_or(text.len())]
    };
    let mut words: Vec<&str> = alternatives.map(first).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The matches, four a line, and what to put in the place of the octets typed.
fn answer(matches: &Matches) -> String {
    let mut text = String::from("\n\n");
    for (at, word) in matches.words.iter().enumerate() {
        // Writing to a String does not fail.
        let _ = write!(text, "[{word:>20}]\t{}", if at % 4 == 3 { "\n" } else { "" });
    }
    text.push_str("\n\n");
    let _ = match (matches.shared(), matches.words.len()) {
        ("", _) => Ok(()),
        (one, 1) => write!(text, "write={}:{one} ", matches.typed),
        (common, _) => write!(text, "write={}:{common}", matches.typed),
    };
    text
}

/// What two words have in common at their beginning.
fn shared<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.char_indices().zip(other.chars()).find(|((_, a), b)| a != b).map(|((at, _), _)| at);
    &one[..same.unwrap_or(one.len().min(other.len()))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_syntax() {
        for (syntax, expected) in [
            ("[send_sighup|shutdown [elegant|asap]|loglevel [level]]", "loglevel send_sighup shutdown"),
            ("loglevel [[0-7] | <loglevel_string>] | colorize [on|off]", "colorize loglevel"),
            ("api [name]|chat|calls [count], then: as [csv|xml]", "api calls chat"),
            ("<ip> <list_name>", ""),
            ("[^^<delim>]<value1>,<value2>", ""),
            ("", ""),
        ] {
            assert_eq!(words(syntax).join(" "), expected, "{syntax}");
        }
    }

    #[test]
    fn the_line_ends_at_the_cursor() {
        for (args, expected) in
            [("sof", "sof"), ("c=3;sofia", "sof"), ("c=99;so", "so"), ("c=x;so", "so"), ("c=1;é", "é")]
        {
            assert_eq!(up_to_cursor(args), expected, "{args}");
        }
    }

    #[test]
    fn what_is_shared_is_written() {
        let check = |words: &[&str], typed, expected: &str| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(answer(&Matches { words, typed }), expected);
        };
        check(&[], 2, "\n\n\n\n");
        check(&["sofia"], 2, "\n\n[               sofia]\t\n\nwrite=2:sofia ");
        let two = "\n\n[           reloadacl]\t[           reloadxml]\t\n\nwrite=3:reload";
        check(&["reloadacl", "reloadxml"], 3, two);
        check(&["a", "b"], 0, "\n\n[                   a]\t[                   b]\t\n\n");
        assert_eq!(shared("reload", "reloadxml"), "reload");
        assert_eq!(shared("é", "è"), "");
    }
}
