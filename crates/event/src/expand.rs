//! `${...}` in texts, and what takes its place.

mod reference;

use std::borrow::Cow;

use self::reference::{Cut, Octets, Reference, Variable};
use crate::url::text_of;
use crate::{Event, Globals, header};

/// References within references and within global variables' values are followed this deep; deeper ones stay as
/// they are. FreeSWITCH switch_event.c switch_event_expand_headers_check.
const MAX_DEPTH: usize = 100;
/// The references one expansion follows, and the octets it takes from them, at most.
const MAX_REFERENCES: u32 = 10_000;
const MAX_OCTETS: usize = 4 << 20;

/// How a text is expanded where FreeSWITCH's way isn't the only one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpandRules {
    /// `${body}` is the body when no header has that name; FreeSWITCH finds nothing, though its own sample
    /// chatplan says so.
    pub body_alias: bool,
}

/// What an [`Expansion`] has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expand {
    /// The expanded text.
    Done(String),
    /// `${command(args)}` or `${command args}`: run this API command and hand its answer to the next call of
    /// [`Expansion::next`]; the answer of a command that there isn't is empty.
    Api {
        /// The name of the command.
        command: String,
        /// What it is given, empty if nothing.
        args: String,
    },
}

/// A text on its way to be expanded. It stops at each API command and goes on with the answer.
///
/// - `${name}` is the header of that name (`${_body}` the body), else the global variable, else nothing.
/// - `$${name}` is the global variable, else nothing.
/// - `${name:2}` leaves out the first 2 octets, `${name:-2}` all but the last 2, `${name:2:3}` keeps 3 at most.
/// - `${name[2]}` is the third element of an array.
/// - `${command(args)}` and `${command args}` are what the API command answers.
/// - `\$` is a dollar, `\\` a backslash, `\'` nothing; a dollar that no brace follows is a dollar.
///
/// References may stand in names and in args. What a header's value or an API command's answer holds is not
/// expanded again; what a global variable holds is. A text without any of these stays as it is, its backslashes
/// too: see [`has_expansion`]. All of this is FreeSWITCH's switch_event.c switch_event_expand_headers_check.
///
/// References are followed 100 deep and stay as they are where they go deeper. An expansion that follows more
/// than 10,000 of them, or takes more than 4 MiB from them, ends there: the text is what it was up to that point.
/// A cut that divides a character leaves U+FFFD if the other part doesn't follow.
#[derive(Clone, Debug)]
pub struct Expansion {
    rules: ExpandRules,
    /// The texts under way, each but the first within a reference of the one before it.
    frames: Vec<Frame>,
    references: u32,
    octets: usize,
}

/// A text, how far it has been read, and what it has become.
#[derive(Clone, Debug)]
struct Frame {
    text: Vec<u8>,
    at: usize,
    out: Vec<u8>,
    then: Then,
}

/// What a text is for, once it is expanded.
#[derive(Clone, Debug)]
enum Then {
    /// It is the result.
    Finish,
    /// It names a variable.
    Variable { global: bool },
    /// It is the value of a global variable.
    Value(Cut),
    /// It is the name of an API command.
    Command { args: Octets },
    /// It is what an API command is given.
    Args { command: Octets },
}

/// What follows once a piece of work is done.
enum Step {
    Again,
    Stop(Expand),
}

impl Expansion {
    /// Begins to expand `text`.
    pub fn new(text: &str, rules: ExpandRules) -> Self {
        let root = if has_expansion(text) {
            Frame::new(text.as_bytes(), Then::Finish)
        } else {
            Frame { text: Vec::new(), at: 0, out: text.as_bytes().to_vec(), then: Then::Finish }
        };
        Self { rules, frames: vec![root], references: 0, octets: 0 }
    }

    /// Goes on until the text is done or an API command has to be run. `answer` is the answer of the command
    /// that the last call asked for, `None` otherwise. After the text is done there is only the empty text.
    pub fn next(&mut self, event: &Event, globals: &Globals, answer: Option<String>) -> Expand {
        if let Some(answer) = answer {
            self.insert(answer.as_bytes());
        }
        loop {
            if let Step::Stop(outcome) = self.step(event, globals) {
                return outcome;
            }
        }
    }

    fn step(&mut self, event: &Event, globals: &Globals) -> Step {
        if self.references > MAX_REFERENCES || self.octets > MAX_OCTETS {
            tracing::warn!(self.references, self.octets, "expansion of a text was given up");
            self.frames.truncate(1);
            return self.finish();
        }
        let Some(frame) = self.frames.last_mut() else { return self.finish() };
        match frame.read() {
            Some(Reference::Variable { name, global }) if self.expands(&name) => {
                self.begin(&name, Then::Variable { global })
            }
            Some(Reference::Variable { name, global }) => self.variable(&name, global, event, globals),
            Some(Reference::Api { command, args }) if self.expands(&command) => {
                self.begin(&command, Then::Command { args })
            }
            Some(Reference::Api { command, args }) => self.api(command, args),
            None => self.end(event, globals),
        }
    }

    /// Whether a text within a reference is to be expanded itself.
    fn expands(&self, text: &[u8]) -> bool {
        self.frames.len() <= MAX_DEPTH && has_expansion_in(text)
    }

    fn begin(&mut self, text: &[u8], then: Then) -> Step {
        self.frames.push(Frame::new(text, then));
        self.references += 1;
        Step::Again
    }

    /// The text on top has been read to its end.
    fn end(&mut self, event: &Event, globals: &Globals) -> Step {
        let Some(Frame { out, then, .. }) = self.frames.pop_if(|frame| !matches!(frame.then, Then::Finish))
        else {
            return self.finish();
        };
        match then {
            Then::Finish => Step::Again,
            Then::Variable { global } => self.variable(&out, global, event, globals),
            Then::Value(cut) => self.insert(cut.of(&out)),
            Then::Command { args } => self.api(Octets::from_vec(out), args),
            Then::Args { command } => api_step(&command, &out),
        }
    }

    fn finish(&mut self) -> Step {
        let out = self.frames.pop().map_or_else(Vec::new, |frame| frame.out);
        Step::Stop(Expand::Done(text_of(out)))
    }

    fn variable(&mut self, name: &[u8], global: bool, event: &Event, globals: &Globals) -> Step {
        let Variable { name, index, cut } = Variable::parse(name);
        let name = String::from_utf8_lossy(name);
        if !global && let Some(value) = self.header(event, &name, index) {
            return self.insert(cut.of(value.as_bytes()));
        }
        match globals.get(&name) {
            Some(value) if self.expands(value.as_bytes()) => self.begin(value.as_bytes(), Then::Value(cut)),
            Some(value) => self.insert(cut.of(value.as_bytes())),
            None => self.insert(b""),
        }
    }

    fn header<'e>(&self, event: &'e Event, name: &str, index: Option<usize>) -> Option<&'e str> {
        let value = match index {
            Some(index) => event.element(name, index),
            None => event.get(name),
        };
        let alias = self.rules.body_alias && name == "body";
        value.or_else(|| if alias { event.get(header::BODY) } else { None })
    }

    fn api(&mut self, command: Octets, args: Octets) -> Step {
        if self.expands(&args) {
            self.begin(&args, Then::Args { command })
        } else {
            api_step(&command, &args)
        }
    }

    /// Puts `value` where the reference stood.
    fn insert(&mut self, value: &[u8]) -> Step {
        self.references += 1;
        self.octets += value.len();
        if let Some(frame) = self.frames.last_mut() {
            frame.out.extend_from_slice(value);
            frame.pass_one();
        }
        Step::Again
    }
}

fn api_step(command: &[u8], args: &[u8]) -> Step {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    Step::Stop(Expand::Api { command: text(command), args: text(args) })
}

impl Frame {
    fn new(text: &[u8], then: Then) -> Self {
        Self { text: text.to_vec(), at: 0, out: Vec::with_capacity(text.len() + 64), then }
    }

    /// Reads on to the next reference, which is behind it then, or to the end.
    fn read(&mut self) -> Option<Reference> {
        loop {
            let rest = &self.text[self.at..];
            let plain = memchr::memchr2(b'\\', b'$', rest).unwrap_or(rest.len());
            self.out.extend_from_slice(&rest[..plain]);
            self.at += plain;
            match rest[plain..] {
                [] => return None,
                // One dollar, which begins nothing, for one or for two.
                [b'\\', b'$', b'$', ..] => self.write(b"$", 3),
                [b'\\', b'$', ..] => self.write(b"$", 2),
                [b'\\', b'\'', ..] => self.write(b"", 2),
                [b'\\', b'\\', ..] => self.write(b"\\", 2),
                [b'$', b'{', ..] => return Some(self.take_reference(2, false)),
                [b'$', b'$', b'{', ..] => return Some(self.take_reference(3, true)),
                [b'$', b'$', ..] => self.write(b"$", 2),
                [octet, ..] => self.write(&[octet], 1),
            }
        }
    }

    fn write(&mut self, octets: &[u8], read: usize) {
        self.out.extend_from_slice(octets);
        self.at += read;
    }

    fn take_reference(&mut self, opening: usize, global: bool) -> Reference {
        let (reference, len) = Reference::scan(&self.text[self.at + opening..], global);
        self.at += opening + len;
        reference
    }

    /// What stands right behind a reference is taken as it is, unless it is a dollar: a backslash there escapes
    /// nothing.
    fn pass_one(&mut self) {
        if let Some(&octet) = self.text.get(self.at).filter(|octet| **octet != b'$') {
            self.out.push(octet);
            self.at += 1;
        }
    }
}

/// Whether expanding `text` may change it: it has a reference, or a backslash before `\`, `'`, `n`, `s` or `t`.
///
/// FreeSWITCH switch_utils.h switch_string_var_check_const, switch_string_has_escaped_data.
pub fn has_expansion(text: &str) -> bool {
    has_expansion_in(text.as_bytes())
}

fn has_expansion_in(text: &[u8]) -> bool {
    let Some(start) = memchr::memchr2(b'\\', b'$', text) else { return false };
    let mut behind_dollar = false;
    for at in start..text.len() {
        match text[at] {
            b'$' => behind_dollar = true,
            b'{' if behind_dollar => return true,
            b'\\' if matches!(text.get(at + 1), Some(b'\\' | b'\'' | b'n' | b's' | b't')) => return true,
            b'\\' => {}
            _ => behind_dollar = false,
        }
    }
    false
}

/// Expands `text` at once, with `api` answering API commands: name and args in, answer out.
pub fn expand_with<'t>(
    text: &'t str,
    event: &Event,
    globals: &Globals,
    rules: ExpandRules,
    mut api: impl FnMut(&str, &str) -> String,
) -> Cow<'t, str> {
    if !has_expansion(text) {
        return Cow::Borrowed(text);
    }
    let mut expansion = Expansion::new(text, rules);
    let mut answer = None;
    loop {
        match expansion.next(event, globals, answer.take()) {
            Expand::Done(text) => return Cow::Owned(text),
            Expand::Api { command, args } => answer = Some(api(&command, &args)),
        }
    }
}
