//! `console_complete`: what the line that is being typed into fs_cli may go on with.

use std::fmt::Write;
use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "console_complete",
    syntax: "[c=<cursor>;]<line>",
    doc: "Console complete",
    module: "mod_commands",
};

/// FreeSWITCH switch_console.c switch_console_complete. Where its modules register their words, the words come from the
/// command's syntax here.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let line = up_to_cursor(call.args).trim_start_matches(' ');
    let (command, typed) = line.split_once(' ').map_or((None, line), |(word, rest)| (Some(word), rest));
    let typed = typed.trim_start_matches(' ');
    let rows = call.registry.rows();
    let matches: Vec<&str> = match command {
        None => rows.iter().map(|row| row.name).collect(),
        // Only the first word after the command is known.
        Some(_) if typed.contains(' ') => Vec::new(),
        Some("unload" | "reload") => server.modules.loaded(),
        Some(command) => {
            rows.iter().find(|row| row.name == command).map(|row| words(row.syntax)).unwrap_or_default()
        }
    };
    let matches: Vec<&str> = matches.into_iter().filter(|word| word.starts_with(typed)).collect();
    answer(&matches, typed.len()).into()
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
fn answer(matches: &[&str], typed: usize) -> String {
    let mut text = String::from("\n\n");
    for (at, word) in matches.iter().enumerate() {
        // Writing to a String does not fail.
        let _ = write!(text, "[{word:>20}]\t{}", if at % 4 == 3 { "\n" } else { "" });
    }
    text.push_str("\n\n");
    let _ = match matches {
        [] => Ok(()),
        [one] => write!(text, "write={typed}:{one} "),
        [first, rest @ ..] => match rest.iter().fold(*first, |common, word| shared(common, word)) {
            "" => Ok(()),
            common => write!(text, "write={typed}:{common}"),
        },
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
        assert_eq!(answer(&[], 2), "\n\n\n\n");
        assert_eq!(answer(&["sofia"], 2), "\n\n[               sofia]\t\n\nwrite=2:sofia ");
        let two = "\n\n[           reloadacl]\t[           reloadxml]\t\n\nwrite=3:reload";
        assert_eq!(answer(&["reloadacl", "reloadxml"], 3), two);
        assert!(answer(&["a", "b"], 0).ends_with("\t\n\n"));
        assert_eq!(shared("reload", "reloadxml"), "reload");
        assert_eq!(shared("é", "è"), "");
    }
}
