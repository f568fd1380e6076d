//! Patterns that PCRE is not needed for: literal text, anchored or not.

/// A literal, and where in the subject it may stand.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plain {
    from_start: bool,
    literal: Vec<u8>,
    to_end: bool,
}

impl Plain {
    /// The pattern as a literal, `None` when it has any operator besides a leading `^` and a trailing `$`.
    pub(crate) fn of(pattern: &str) -> Option<Self> {
        let rest = pattern.as_bytes();
        let (from_start, mut rest) = match rest.strip_prefix(b"^") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let mut literal = Vec::with_capacity(rest.len());
        let mut to_end = false;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'$' if rest.is_empty() => to_end = true,
                // PCRE2: a backslash takes the meaning from whatever is neither a letter nor a digit.
                b'\\' => {
                    let (&escaped, after) =
                        rest.split_first().filter(|(next, _)| next.is_ascii_punctuation())?;
                    literal.push(escaped);
                    rest = after;
                }
                b'.' | b'*' | b'+' | b'?' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'|' | b'^' | b'$' => {
                    return None;
                }
                _ => literal.push(byte),
            }
        }
        Some(Self { from_start, literal, to_end })
    }

    pub(crate) fn is_match(&self, subject: &[u8]) -> bool {
        self.find(subject).is_some()
    }

    /// Where in the subject the first match is.
    pub(crate) fn find(&self, subject: &[u8]) -> Option<(usize, usize)> {
        // PCRE2: `$` stands before a newline that ends the subject, too; the earlier match counts.
        let bare = subject.strip_suffix(b"\n").filter(|_| self.to_end);
        let start = bare.and_then(|bare| self.start_in(bare)).or_else(|| self.start_in(subject))?;
        Some((start, start + self.literal.len()))
    }

    fn start_in(&self, subject: &[u8]) -> Option<usize> {
        match (self.from_start, self.to_end) {
            (true, true) => (subject == self.literal).then_some(0),
            (true, false) => subject.starts_with(&self.literal).then_some(0),
            (false, true) => subject.ends_with(&self.literal).then(|| subject.len() - self.literal.len()),
            (false, false) if self.literal.is_empty() => Some(0),
            (false, false) => memchr::memmem::find(subject, &self.literal),
        }
    }
}

#[cfg(test)]
mod tests {
    use pcre2::bytes::Regex;

    use super::*;

    #[test]
    fn plain_patterns_match_as_pcre_does() {
        let patterns =
            ["", "^", "$", "^$", "^1009$", "^1009", "1009$", "1009", r"^chat\.test$", "a b", "é", r"a\\b"];
        let subjects = [
            "",
            "\n",
            "\n\n",
            "1009",
            "1009\n",
            "x1009",
            "1009x",
            "x1009\n",
            "chat.test",
            "chatxtest",
            "a b",
            "é",
            r"a\b",
        ];
        for pattern in patterns {
            let plain = Plain::of(pattern).expect("it is plain");
            let regex = Regex::new(pattern).expect("it compiles");
            for subject in subjects {
                let expect = regex
                    .find(subject.as_bytes())
                    .expect("it runs")
                    .map(|found| (found.start(), found.end()));
                assert_eq!(plain.find(subject.as_bytes()), expect, "{pattern:?} on {subject:?}");
            }
        }
    }

    #[test]
    fn operators_are_for_pcre() {
        for pattern in ["a.c", "a*", "(a)", "[a]", "a|b", r"\d", r"a\b", "a{2}", "^a^", "a$b", "a\\"] {
            assert_eq!(Plain::of(pattern), None, "{pattern}");
        }
    }
}
