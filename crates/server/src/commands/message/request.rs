//! What was asked for, read from the words after `message`.

use std::str::SplitWhitespace;

use chappe_store::{MessageId, State};

use super::page::{DEFAULT, Listing, MOST};

/// What may follow `message`.
pub(super) const SYNTAX: &str = "show <id>|list [<user@domain>] \
    [waiting|accepted|delivered|refused|expired|cancelled|done] [limit <n>] [after <place>]|retry <id|user@domain>|\
    cancel <id|user@domain>|purge [<seconds>]|waiting <user@domain>|status";

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Request {
    Show(MessageId),
    List(Listing),
    Retry(Target),
    Cancel(Target),
    /// Seconds for which finished messages stay; 0: none stays.
    Purge(u32),
    Waiting(String),
    Status,
}

/// One message, or all that wait for a recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Target {
    Message(MessageId),
    Recipient(String),
}

/// What is wrong with the words.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Wrong {
    #[error("there is no `message {0}`. USAGE: message {SYNTAX}")]
    Subcommand(String),
    #[error("there is no `{word}` here. USAGE: message {}", usage(.subcommand))]
    Word { subcommand: &'static str, word: String },
    #[error("{what} is missing. USAGE: message {}", usage(.subcommand))]
    Missing { subcommand: &'static str, what: &'static str },
    #[error("`{word}` is not {what}. USAGE: message {}", usage(.subcommand))]
    Value { subcommand: &'static str, word: String, what: &'static str },
}

/// The part of [`SYNTAX`] that begins with this word.
fn usage(subcommand: &str) -> &'static str {
    alternatives().find(|usage| usage.split(' ').next() == Some(subcommand)).unwrap_or(SYNTAX)
}

/// The subcommands with their words.
fn alternatives() -> impl Iterator<Item = &'static str> {
    let mut depth = 0_i32;
    SYNTAX.split(move |letter| {
        depth += i32::from("[<".contains(letter)) - i32::from("]>".contains(letter));
        letter == '|' && depth == 0
    })
}

/// Words that may follow what is written after `message`, for the completion of lines.
pub fn after(before: &[&str]) -> Vec<&'static str> {
    match before {
        ["list", ..] if !matches!(before.last(), Some(&("limit" | "after"))) => {
            State::ALL.iter().map(|state| state.as_str()).chain(["limit", "after"]).collect()
        }
        _ => Vec::new(),
    }
}

/// The words of one subcommand.
struct Words<'a> {
    subcommand: &'static str,
    rest: SplitWhitespace<'a>,
}

impl<'a> Words<'a> {
    fn missing(&self, what: &'static str) -> Wrong {
        Wrong::Missing { subcommand: self.subcommand, what }
    }

    fn value(&self, word: &str, what: &'static str) -> Wrong {
        Wrong::Value { subcommand: self.subcommand, word: word.to_owned(), what }
    }

    fn next(&mut self, what: &'static str) -> Result<&'a str, Wrong> {
        self.rest.next().ok_or_else(|| self.missing(what))
    }

    fn recipient(&mut self) -> Result<String, Wrong> {
        let word = self.next("a user@domain")?;
        recipient(word).ok_or_else(|| self.value(word, "a user@domain"))
    }

    fn target(&mut self) -> Result<Target, Wrong> {
        let word = self.next("a message's id or a user@domain")?;
        Ok(recipient(word).map_or_else(|| Target::Message(word.into()), Target::Recipient))
    }

    fn number<T: std::str::FromStr>(&mut self, what: &'static str) -> Result<T, Wrong> {
        let word = self.next(what)?;
        word.parse().map_err(|_| self.value(word, what))
    }

    fn listing(&mut self) -> Result<Listing, Wrong> {
        let mut listing = Listing { limit: DEFAULT, ..Listing::default() };
        while let Some(word) = self.rest.next() {
            match word.to_ascii_lowercase().as_str() {
                "limit" => listing.limit = self.limit()?,
                "after" => listing.after = self.number("a place, as another list named it")?,
                lower => match (State::parse(lower), recipient(word)) {
                    (Some(state), _) => listing.state = Some(state),
                    (None, Some(recipient)) => listing.recipient = Some(recipient),
                    (None, None) => return Err(self.unknown(word)),
                },
            }
        }
        Ok(listing)
    }

    fn limit(&mut self) -> Result<usize, Wrong> {
        const WHAT: &str = "a number from 1 to 1000";
        let word = self.next(WHAT)?;
        let limit = word.parse().ok().filter(|limit| (1..=MOST).contains(limit));
        limit.ok_or_else(|| self.value(word, WHAT))
    }

    fn unknown(&self, word: &str) -> Wrong {
        Wrong::Word { subcommand: self.subcommand, word: word.to_owned() }
    }

    /// Nothing may be left.
    fn end(mut self) -> Result<(), Wrong> {
        self.rest.next().map_or(Ok(()), |word| Err(self.unknown(word)))
    }
}

/// `user@domain` as queues are named; a domain's case does not matter.
fn recipient(word: &str) -> Option<String> {
    let (user, domain) =
        word.split_once('@').filter(|(user, domain)| !user.is_empty() && !domain.is_empty())?;
    Some(format!("{user}@{}", domain.to_ascii_lowercase()))
}

impl Request {
    pub(super) fn parse(args: &str) -> Result<Self, Wrong> {
        let mut rest = args.split_whitespace();
        let name = rest.next().unwrap_or_default();
        let known = alternatives().filter_map(|usage| usage.split(' ').next());
        let subcommand = known.into_iter().find(|known| known.eq_ignore_ascii_case(name));
        let subcommand = subcommand.ok_or_else(|| Wrong::Subcommand(name.to_owned()))?;
        let mut words = Words { subcommand, rest };
        let request = match subcommand {
            "show" => Self::Show(words.next("a message's id")?.into()),
            "list" => Self::List(words.listing()?),
            "retry" => Self::Retry(words.target()?),
            "cancel" => Self::Cancel(words.target()?),
            "purge" => Self::Purge(match words.rest.clone().next() {
                Some(_) => words.number("a number of seconds")?,
                None => 0,
            }),
            "waiting" => Self::Waiting(words.recipient()?),
            _ => Self::Status,
        };
        words.end()?;
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        Listing { limit: 50, ..Listing::default() }
    }

    #[test]
    fn each_subcommand_is_understood() {
        let recipient = || "1001@chat.test".to_owned();
        let cases = [
            ("show 0af", Request::Show("0af".into())),
            ("List", Request::List(listing())),
            ("list waiting", Request::List(Listing { state: Some(State::Waiting), ..listing() })),
            (
                "list 1001@Chat.Test LIMIT 1000  Done after 17",
                Request::List(Listing {
                    recipient: Some(recipient()),
                    state: Some(State::Done),
                    limit: 1000,
                    after: 17,
                }),
            ),
            ("retry 0af", Request::Retry(Target::Message("0af".into()))),
            ("retry 1001@chat.test", Request::Retry(Target::Recipient(recipient()))),
            ("cancel 0af", Request::Cancel(Target::Message("0af".into()))),
            ("cancel 1001@chat.test", Request::Cancel(Target::Recipient(recipient()))),
            ("purge", Request::Purge(0)),
            ("purge 3600", Request::Purge(3600)),
            ("waiting 1001@CHAT.test", Request::Waiting(recipient())),
            ("status", Request::Status),
        ];
        for (args, expected) in cases {
            assert_eq!(Request::parse(args), Ok(expected), "{args}");
        }
        let states: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
        assert!(states.iter().all(|state| usage("list").contains(state)), "{states:?}");
    }

    #[test]
    fn wrong_words_are_told_with_what_may_be_written() {
        let list = "list [<user@domain>] [waiting|accepted|delivered|refused|expired|cancelled|done] \
                    [limit <n>] [after <place>]";
        let cases = [
            ("frob", format!("there is no `message frob`. USAGE: message {SYNTAX}")),
            ("show", "a message's id is missing. USAGE: message show <id>".to_owned()),
            ("show 1 2", "there is no `2` here. USAGE: message show <id>".to_owned()),
            ("list sleeping", format!("there is no `sleeping` here. USAGE: message {list}")),
            ("list limit 1001", format!("`1001` is not a number from 1 to 1000. USAGE: message {list}")),
            ("list limit 0", format!("`0` is not a number from 1 to 1000. USAGE: message {list}")),
            ("list limit", format!("a number from 1 to 1000 is missing. USAGE: message {list}")),
            (
                "list after noon",
                format!("`noon` is not a place, as another list named it. USAGE: message {list}"),
            ),
            (
                "retry",
                "a message's id or a user@domain is missing. USAGE: message retry <id|user@domain>"
                    .to_owned(),
            ),
            ("purge -1", "`-1` is not a number of seconds. USAGE: message purge [<seconds>]".to_owned()),
            ("waiting 1001", "`1001` is not a user@domain. USAGE: message waiting <user@domain>".to_owned()),
            ("waiting @", "`@` is not a user@domain. USAGE: message waiting <user@domain>".to_owned()),
            ("status now", "there is no `now` here. USAGE: message status".to_owned()),
        ];
        for (args, expected) in cases {
            assert_eq!(Request::parse(args).map_err(|wrong| wrong.to_string()), Err(expected), "{args}");
        }
    }

    #[test]
    fn what_may_follow() {
        assert!(after(&["list", "1001@chat.test"]).contains(&"waiting"));
        assert!(after(&["list"]).contains(&"limit"));
        for nothing in [&["list", "limit"][..], &["show"], &[]] {
            assert!(after(nothing).is_empty(), "{nothing:?}");
        }
    }
}
