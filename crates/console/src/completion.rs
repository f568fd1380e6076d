//! What the server's `console_complete` answers, for the line that is being typed.

use crate::{printable, typed};

/// What may stand in the line from `start` to the cursor.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Completion {
    pub start: usize,
    pub words: Vec<String>,
}

/// More than this is no help to anybody.
const MAX_WORDS: usize = 1_000;

/// The command that asks the server about the line up to the cursor; `None` when the console itself knows.
/// FreeSWITCH fs_cli.c esl_console_complete.
pub fn question(before: &str) -> Option<String> {
    let line = before.trim_start();
    let known = line.starts_with('/') || line.contains(char::is_control);
    (!known).then(|| format!("console_complete c={};{line}", line.len()))
}

/// What the console knows by itself.
pub fn own(before: &str) -> Completion {
    if before.trim_start().starts_with('/') {
        Completion { start: last_word(before), words: typed::completions(before) }
    } else {
        Completion::default()
    }
}

impl Completion {
    /// Reads `[word]` in columns, then `write=OCTETS:TEXT`: how much of what was typed the words take the place of, and
    /// what they have in common. FreeSWITCH switch_console.c switch_console_complete.
    pub fn parse(answer: &str, before: &str) -> Self {
        let (list, write) = match answer.rsplit_once("\n\nwrite=") {
            Some((list, write)) => (list, write.split_once(':')),
            None => (answer, None),
        };
        let start = write
            .and_then(|(octets, _)| before.len().checked_sub(octets.parse().ok()?))
            .filter(|&start| before.is_char_boundary(start));
        let mut words: Vec<String> = list.split(['\t', '\n']).filter_map(word).take(MAX_WORDS).collect();
        words.dedup();
        if let ([_], Some((_, text))) = (words.as_slice(), write) {
            // The one word there is comes with a space at its end.
            words =
                [text.trim_end_matches('\n').to_owned()].into_iter().filter(|text| is_safe(text)).collect();
        }
        Self { start: start.unwrap_or_else(|| last_word(before)), words }
    }
}

fn word(cell: &str) -> Option<String> {
    let word = cell.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    (!word.is_empty() && is_safe(word)).then(|| word.to_owned())
}

/// What is completed lands in the line, where nothing can be shown in other letters than it has.
fn is_safe(word: &str) -> bool {
    !word.contains(['\n', '\t']) && printable::printable(word) == word
}

fn last_word(before: &str) -> usize {
    before.rfind(' ').map_or_else(|| before.len() - before.trim_start().len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: &str, before: &str, start: usize, words: &[&str]) {
        let expected = Completion { start, words: words.iter().map(|&word| word.to_owned()).collect() };
        assert_eq!(Completion::parse(answer, before), expected, "{answer:?}");
    }

    #[test]
    fn questions() {
        assert_eq!(question(" so").as_deref(), Some("console_complete c=2;so"));
        assert_eq!(question("sofia st").as_deref(), Some("console_complete c=8;sofia st"));
        assert_eq!(question("/lo"), None);
        assert_eq!(question("a\nb"), None);
    }

    #[test]
    fn one_word_comes_with_its_space() {
        check("\n\n[               sofia]\t\n\nwrite=2:sofia ", "so", 0, &["sofia "]);
        check("\n\n[              status]\t\n\nwrite=2:status ", "sofia st", 6, &["status "]);
    }

    #[test]
    fn several_words() {
        let answer = "\n\n[           reloadacl]\t[           reloadxml]\t\n\nwrite=3:reload";
        check(answer, "rel", 0, &["reloadacl", "reloadxml"]);
        check("\n\n[                   a]\t[                   b]\t\n\n", "sofia ", 6, &["a", "b"]);
        let lines = "\n\n[a1]\t[a2]\t[a3]\t[a4]\t\n[a5]\t\n\nwrite=0:a";
        check(lines, "x ", 2, &["a1", "a2", "a3", "a4", "a5"]);
    }

    #[test]
    fn nothing_fits() {
        check("\n\n\n\n", "nosuch", 0, &[]);
        check("-ERR command not found\n", "so", 0, &[]);
        check("", "", 0, &[]);
    }

    #[test]
    fn a_hostile_answer_does_no_harm() {
        check("\n\n[   a\x1b[2J]\t[ok]\t\n\nwrite=99:x", "so", 0, &["ok"].map(|_| "x"));
        check("\n\n[a]\t[b]\t\n\nwrite=1:x", "ž", 0, &["a", "b"]);
        check("\n\n[a]\t\n\nwrite=1:\x1bc", "a", 0, &[]);
    }

    #[test]
    fn the_console_s_own() {
        assert_eq!(own("/log w"), Completion { start: 5, words: vec!["warning ".into()] });
        assert_eq!(own("log"), Completion::default());
    }
}
