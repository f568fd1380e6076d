//! The words that operators add to the completion of command lines: what `complete` adds.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chappe_api::separate;

/// How many lines may be added; one more is refused.
pub const MAX_COMPLETIONS: usize = 1_000;

/// How many words of a line are known; FreeSWITCH's table has as many columns.
pub const MAX_WORDS: usize = 10;

/// A line of words; an empty one stands for any.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    pub sticky: bool,
    /// [`MAX_WORDS`] of them.
    pub words: Vec<String>,
}

/// Why a line was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetError {
    Usage,
    Full,
}

/// All lines, in the order in which they were added.
#[derive(Default)]
pub struct Completions(Mutex<Vec<Completion>>);

impl Completions {
    /// `add WORDS`, `stickyadd WORDS`, `del WORDS` or `del *`. FreeSWITCH switch_console.c switch_console_set_complete.
    pub fn set(&self, line: &str) -> Result<(), SetError> {
        let fields = separate(line, ' ', MAX_WORDS + 1);
        let (verb, words) = fields.split_first().ok_or(SetError::Usage)?;
        match verb.to_ascii_lowercase().as_str() {
            "add" => self.add(false, words),
            "stickyadd" => self.add(true, words),
            "del" => self.delete(words),
            _ => Err(SetError::Usage),
        }
    }

    fn add(&self, sticky: bool, words: &[String]) -> Result<(), SetError> {
        let word =
            |word: &String| if word.eq_ignore_ascii_case("_any_") { String::new() } else { word.clone() };
        let mut words: Vec<String> = words.iter().map(word).collect();
        words.resize(MAX_WORDS, String::new());
        let mut all = self.all();
        if all.len() >= MAX_COMPLETIONS {
            return Err(SetError::Full);
        }
        all.push(Completion { sticky, words });
        Ok(())
    }

    fn delete(&self, words: &[String]) -> Result<(), SetError> {
        match words {
            [] => return Err(SetError::Usage),
            [word] if word == "*" => self.all().clear(),
            words => self.all().retain(|known| !known.words.starts_with(words)),
        }
        Ok(())
    }

    /// Sorted by their words.
    pub fn list(&self) -> Vec<Completion> {
        let mut list = self.all().clone();
        list.sort_by(|one, other| one.words.cmp(&other.words));
        list
    }

    /// The words that may stand after `before` and begin with `typed`.
    pub fn after(&self, before: &[&str], typed: &str) -> Vec<String> {
        let all = self.all();
        let fits = |known: &&Completion| {
            before.iter().zip(&known.words).all(|(word, known)| known.is_empty() || known == word)
        };
        let next = |known: &Completion| known.words.get(before.len()).cloned();
        let words = all.iter().filter(fits).filter_map(next);
        words.filter(|word| !word.is_empty() && !word.starts_with("::") && word.starts_with(typed)).collect()
    }

    fn all(&self) -> MutexGuard<'_, Vec<Completion>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_and_go() {
        let completions = Completions::default();
        for line in ["add sofia profile _any_ flush", "add sofia status", "stickyadd zz"] {
            assert_eq!(completions.set(line), Ok(()), "{line}");
        }
        assert_eq!(completions.after(&["sofia"], ""), ["profile", "status"]);
        assert_eq!(completions.after(&["sofia"], "st"), ["status"]);
        assert_eq!(completions.after(&["sofia", "profile", "internal"], "f"), ["flush"]);
        assert_eq!(completions.after(&[], "z"), ["zz"]);
        assert_eq!(completions.set("del sofia profile"), Ok(()));
        assert_eq!(completions.after(&["sofia"], ""), ["status"]);
        for line in ["", "del", "put x"] {
            assert_eq!(completions.set(line), Err(SetError::Usage), "{line}");
        }
        assert_eq!(completions.set("del *"), Ok(()));
        assert!(completions.list().is_empty());
    }

    #[test]
    fn there_is_a_limit() {
        let completions = Completions::default();
        assert!((0..MAX_COMPLETIONS).all(|n| completions.set(&format!("add a{n}")).is_ok()));
        assert_eq!(completions.set("add b"), Err(SetError::Full));
    }
}
