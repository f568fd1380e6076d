//! Commands as they come off the wire: a line, header lines, a blank line, and a body when Content-Length announces one.

use memchr::memchr;
use thiserror::Error;

/// How much one command may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Octets up to the blank line.
    pub head: usize,
    /// Octets of the body.
    pub body: usize,
}

impl Limits {
    /// Enough for `auth` or `userauth`, and no more.
    pub const BEFORE_AUTH: Self = Self { head: 4 * 1024, body: 0 };
    /// FreeSWITCH's limit for a body; long API arguments fit the head.
    pub const AFTER_AUTH: Self = Self { head: 1024 * 1024, body: 16 * 1024 * 1024 };
}

/// Why a client can't be understood any further: where its next command starts is unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ParseError {
    #[error("command longer than {0} octets")]
    HeadTooLong(usize),
    #[error("Content-Length larger than {0}")]
    BodyTooLong(usize),
    #[error("Content-Length is negative")]
    NegativeLength,
}

/// What a parser may keep of the room that a large body took.
const SMALL: usize = 64 * 1024;

/// One command of a client.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Command {
    /// The first line, `api status` for instance.
    pub line: String,
    /// The lines that follow it, in their order.
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
}

impl Command {
    /// The first header of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Takes octets as they arrive and gives whole commands. Holds no more than its [`Limits`] and the last piece pushed.
#[derive(Debug)]
pub struct Parser {
    limits: Limits,
    pending: Vec<u8>,
    /// Where in `pending` the search for the blank line goes on.
    searched: usize,
    /// A command whose body is still arriving, and that body's length.
    waiting: Option<(Command, usize)>,
}

impl Parser {
    pub fn new(limits: Limits) -> Self {
        Self { limits, pending: Vec::new(), searched: 0, waiting: None }
    }

    /// What the next commands may hold.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    pub fn push(&mut self, octets: &[u8]) {
        self.pending.extend_from_slice(octets);
    }

    /// The next whole command; `None` until more octets came. After an error the connection is of no further use.
    pub fn take(&mut self) -> Result<Option<Command>, ParseError> {
        if self.waiting.is_none() {
            self.waiting = self.head()?;
        }
        match self.waiting.take() {
            Some((mut command, length)) if self.pending.len() >= length => {
                if length > 0 {
                    command.body = Some(self.pending.drain(..length).collect());
                    self.pending.shrink_to(SMALL);
                }
                Ok(Some(command))
            }
            waiting => {
                self.waiting = waiting;
                Ok(None)
            }
        }
    }

    fn head(&mut self) -> Result<Option<(Command, usize)>, ParseError> {
        self.skip_blank_lines();
        let Some(end) = self.head_end() else {
            return if self.pending.len() > self.limits.head {
                Err(ParseError::HeadTooLong(self.limits.head))
            } else {
                Ok(None)
            };
        };
        if end > self.limits.head {
            return Err(ParseError::HeadTooLong(self.limits.head));
        }
        let command = parse_head(&self.pending[..end]);
        self.pending.drain(..end);
        self.searched = 0;
        let length = self.body_length(&command)?;
        Ok(Some((command, length)))
    }

    fn skip_blank_lines(&mut self) {
        let blank = self.pending.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
        if blank > 0 {
            self.pending.drain(..blank);
            self.searched = 0;
        }
    }

    /// The octets up to and with the blank line: two line feeds with nothing but carriage returns between.
    fn head_end(&mut self) -> Option<usize> {
        let mut from = self.searched;
        while let Some(at) = memchr(b'\n', &self.pending[from..]) {
            let feed = from + at;
            let rest = &self.pending[feed + 1..];
            let returns = rest.iter().take_while(|&&octet| octet == b'\r').count();
            match rest.get(returns) {
                Some(b'\n') => return Some(feed + 1 + returns + 1),
                Some(_) => from = feed + 1,
                None => {
                    self.searched = feed;
                    return None;
                }
            }
        }
        self.searched = self.pending.len();
        None
    }

    fn body_length(&self, command: &Command) -> Result<usize, ParseError> {
        let Some(text) = command.header("Content-Length") else { return Ok(0) };
        let digits = text.trim_start().strip_prefix('+').unwrap_or(text.trim_start());
        if digits.starts_with('-') {
            return Err(ParseError::NegativeLength);
        }
        // As C's atoi: the digits it starts with. What has too many to be a number is too long, too.
        let end = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
        let length = if end == 0 { 0 } else { digits[..end].parse().unwrap_or(usize::MAX) };
        if length > self.limits.body { Err(ParseError::BodyTooLong(self.limits.body)) } else { Ok(length) }
    }
}

fn parse_head(head: &[u8]) -> Command {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split(['\r', '\n']).filter(|line| !line.is_empty());
    let line = lines.next().unwrap_or_default().to_owned();
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim_start_matches(' ').to_owned()))
    };
    Command { line, headers: lines.filter_map(header).collect(), body: None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse_all(pieces: &[&[u8]]) -> Result<Vec<Command>, ParseError> {
        let mut parser = Parser::new(Limits::AFTER_AUTH);
        let mut commands = Vec::new();
        for piece in pieces {
            parser.push(piece);
            while let Some(command) = parser.take()? {
                commands.push(command);
            }
        }
        Ok(commands)
    }

    fn command(line: &str, headers: &[(&str, &str)], body: Option<&str>) -> Command {
        Command {
            line: line.to_owned(),
            headers: headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            body: body.map(|body| body.as_bytes().to_vec()),
        }
    }

    #[test]
    fn commands() {
        let event = command(
            "sendevent CUSTOM",
            &[("Event-Subclass", "SMS::SEND_MESSAGE"), ("Content-Length", "3"), ("to", "a:b")],
            Some("a\n\n"),
        );
        for (text, expected) in [
            ("api status\n\n", vec![command("api status", &[], None)]),
            ("api status\r\n\r\n", vec![command("api status", &[], None)]),
            ("\n\r\n\nexit\n\n\n\n\nexit\n\n", vec![command("exit", &[], None), command("exit", &[], None)]),
            (
                "api x\nconsole_execute: true\n\n",
                vec![command("api x", &[("console_execute", "true")], None)],
            ),
            ("x\nno header\na:\nb:  c \n\n", vec![command("x", &[("a", ""), ("b", "c ")], None)]),
            ("half", vec![]),
            ("half\n", vec![]),
            ("a\nContent-Length: 5\n\n1234", vec![]),
            (
                "sendevent CUSTOM\nEvent-Subclass: SMS::SEND_MESSAGE\nContent-Length: 3\nto: a:b\n\na\n\n\nexit\n\n",
                vec![event, command("exit", &[], None)],
            ),
            ("a\nContent-Length: x\n\n", vec![command("a", &[("Content-Length", "x")], None)]),
            ("a\0b\nc: \0\n\n", vec![command("a\0b", &[("c", "\0")], None)]),
        ] {
            assert_eq!(parse_all(&[text.as_bytes()]), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_too_large_is_refused() {
        for (text, expected) in [
            ("a\nContent-Length: 104857600\n\n", ParseError::BodyTooLong(16 * 1024 * 1024)),
            ("a\nContent-Length: 99999999999999999999999\n\n", ParseError::BodyTooLong(16 * 1024 * 1024)),
            ("a\nContent-Length: -1\n\n", ParseError::NegativeLength),
        ] {
            assert_eq!(parse_all(&[text.as_bytes()]), Err(expected), "{text:?}");
        }
        let endless = vec![b'a'; Limits::AFTER_AUTH.head + 1];
        assert_eq!(parse_all(&[&endless]), Err(ParseError::HeadTooLong(Limits::AFTER_AUTH.head)));
    }

    #[test]
    fn the_room_of_a_large_body_is_given_back() {
        let mut parser = Parser::new(Limits::AFTER_AUTH);
        let length = Limits::AFTER_AUTH.body;
        parser.push(format!("a\nContent-Length: {length}\n\n").as_bytes());
        assert_eq!(parser.take(), Ok(None));
        parser.push(&vec![0; length]);
        let body = parser.take().expect("a command").and_then(|command| command.body);
        assert_eq!(body.map(|body| body.len()), Some(length));
        assert!(parser.pending.capacity() <= SMALL);
    }

    #[test]
    fn blank_lines_are_not_kept() {
        let mut parser = Parser::new(Limits::BEFORE_AUTH);
        for _ in 0..10_000 {
            parser.push(b"\r\n\n");
            assert_eq!(parser.take(), Ok(None));
        }
        assert!(parser.pending.is_empty());
    }

    proptest! {
        #[test]
        fn a_cut_at_any_place_changes_nothing(
            text in prop_oneof![
                "(api [a-z ]{1,9}(\r?\n[A-Z]{1,4}: ?[^\r\n]{0,9}){0,3}\r?\n\r?\n(\r?\n){0,2}){1,4}",
                "[ab:\r\n\u{0}ž]{0,60}",
                "(s\nContent-Length: [0-9]\n\n[a-c\n]{0,9}){1,4}",
            ],
        ) {
            let whole = parse_all(&[text.as_bytes()]);
            for cut in 0..text.len() {
                let (first, second) = text.as_bytes().split_at(cut);
                prop_assert_eq!(&parse_all(&[first, second]), &whole);
            }
            let octets: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            prop_assert_eq!(&parse_all(&octets), &whole);
        }

        #[test]
        fn any_octets_are_survived(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_all(&[&octets]);
        }
    }
}
