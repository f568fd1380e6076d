//! A console at a terminal: the line editor, its history, its completion and the function keys.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{ColorMode, CompletionType, Config, Context, Editor, Helper};

use self::keys::Keys;
use crate::color::Color;
use crate::profile::Profile;
use crate::screen::to_stdout;
use crate::session::Handle;

mod keys;

/// Lines that the history keeps. FreeSWITCH fs_cli.c main.
const MAX_HISTORY: usize = 800;

const HINT: &str = "Type Ctrl-D, /exit, /quit or /bye to leave.\n";

/// What the line editor has to know.
pub struct Style {
    /// The prompt, without and with colour.
    pub prompt: (String, String),
    pub input: Color,
    pub output: Color,
    pub colors: bool,
    /// Where the history is kept; `None`: nowhere.
    pub history: Option<PathBuf>,
    /// Whether Ctrl-C ends the console.
    pub interrupt: bool,
}

/// How somebody left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaving {
    ByWill,
    Interrupted,
}

/// What the editor asks about the line being typed.
struct Typing {
    handle: Handle,
    input: Color,
}

/// A line editor on standard input and output.
pub struct Terminal {
    editor: Editor<Typing, FileHistory>,
    handle: Handle,
    keys: Arc<Keys>,
    style: Style,
}

impl Terminal {
    /// Fails where no line can be edited, on a terminal called `dumb` for instance.
    pub fn new(handle: Handle, profile: &Profile, style: Style) -> Result<Self, ReadlineError> {
        let colors = if style.colors { ColorMode::Enabled } else { ColorMode::Disabled };
        let config = Config::builder()
            .max_history_size(MAX_HISTORY)?
            .history_ignore_dups(true)?
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .color_mode(colors)
            .build();
        let mut editor = Editor::with_config(config)?;
        editor.set_helper(Some(Typing { handle: handle.clone(), input: style.input }));
        let keys = Arc::new(Keys::new(profile));
        keys::bind(&mut editor, &keys);
        if let Some(path) = style.history.as_ref().filter(|path| path.exists())
            && let Err(error) = editor.load_history(path)
        {
            eprintln!("chappe console: failed to read {}: {error}", path.display());
        }
        Ok(Self { editor, handle, keys, style })
    }

    /// What prints above the line that is being typed.
    pub fn printer(&mut self) -> Result<impl FnMut(String) -> io::Result<()> + Send + use<>, ReadlineError> {
        let mut printer = self.editor.create_external_printer()?;
        Ok(move |text| rustyline::ExternalPrinter::print(&mut printer, text).map_err(io::Error::other))
    }

    /// Reads lines and has them carried out, until somebody leaves or the session is over. Blocks.
    pub fn converse(mut self) -> Leaving {
        let mut kept = String::new();
        loop {
            let read = self.editor.readline_with_initial(&self.style.prompt, (&kept, ""));
            let leaves = match read {
                Ok(line) => match self.keys.pressed() {
                    // What was being typed when the key was pressed waits for the next prompt.
                    Some(command) => {
                        kept = line;
                        self.say(&format!("{command}\n"));
                        self.carry_out(&command)
                    }
                    None => {
                        kept.clear();
                        self.remember(&line);
                        self.carry_out(&line)
                    }
                },
                // The session wakes the editor in this way, too, when it is over.
                Err(ReadlineError::Interrupted) if self.handle.is_over() => true,
                Err(ReadlineError::Interrupted) if self.style.interrupt => return Leaving::Interrupted,
                Err(ReadlineError::Interrupted) => {
                    kept.clear();
                    self.say(HINT)
                }
                Err(ReadlineError::Eof) => {
                    self.say("/exit\n");
                    true
                }
                Err(_) => true,
            };
            if leaves {
                return Leaving::ByWill;
            }
        }
    }

    /// Text that was pasted may hold several lines. Gives whether that was the last one.
    fn carry_out(&self, text: &str) -> bool {
        text.lines().any(|line| {
            let answer = self.handle.line(line);
            let text = if self.style.colors { self.style.output.paint(&answer.text) } else { answer.text };
            self.say(&text) || answer.leave
        })
    }

    /// Prints; true when there is nothing any more to print to.
    fn say(&self, text: &str) -> bool {
        to_stdout(text).is_err()
    }

    fn remember(&mut self, line: &str) {
        // A history that can't be written is no reason to keep anybody from typing.
        let added = self.editor.add_history_entry(line).unwrap_or(false);
        if let Some(path) = self.style.history.as_ref().filter(|_| added) {
            let _ = self.editor.append_history(path);
        }
    }
}

impl Completer for Typing {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let completion = self.handle.complete(&line[..pos]);
        let pair = |word: String| Pair { display: word.trim_end().to_owned(), replacement: word };
        Ok((completion.start, completion.words.into_iter().map(pair).collect()))
    }
}

impl Highlighter for Typing {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.input == Color::default() { Cow::Borrowed(line) } else { Cow::Owned(self.input.paint(line)) }
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.input != Color::default()
    }
}

impl Hinter for Typing {
    type Hint = String;
}
impl Validator for Typing {}
impl Helper for Typing {}
