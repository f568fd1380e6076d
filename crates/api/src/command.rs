//! What an API command is: a row that describes it and a way to run it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use chappe_event::Event;

use crate::Registry;

/// What help, completion and `show api` know of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// The word that calls it; looked up without regard to case.
    pub name: &'static str,
    /// Its arguments, in FreeSWITCH's notation; empty when it takes none.
    pub syntax: &'static str,
    /// One line on what it does.
    pub doc: &'static str,
    /// The FreeSWITCH module that brings it, `mod_commands` for instance.
    pub module: &'static str,
}

/// One API command.
pub trait Command: Send + Sync {
    fn row(&self) -> &Row;

    /// Runs the command. Must not block: what takes time goes into [`Answer::Later`].
    fn run(&self, call: Call<'_>) -> Answer;
}

/// One run of a command.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// What follows the command's name, without the blanks around it.
    pub args: &'a str,
    /// The message being routed when the call comes from a chatplan's `${NAME(ARGS)}`.
    pub event: Option<&'a Event>,
    /// For commands that call others, as `expand` and `help` do.
    pub registry: &'a Arc<Registry>,
    /// The call comes from a console.
    pub console: bool,
}

/// A command's text, still to come.
pub type Later = Pin<Box<dyn Future<Output = String> + Send>>;

/// What a command answers: the text as FreeSWITCH writes it, its newline (or none) included.
pub enum Answer {
    Ready(String),
    Later(Later),
}

impl Answer {
    /// The text that a wrong or missing argument gets, FreeSWITCH's `-USAGE: ...`.
    pub fn usage(row: &Row) -> Self {
        Self::Ready(format!("-USAGE: {}\n", row.syntax))
    }

    /// Waits for the text.
    pub async fn text(self) -> String {
        match self {
            Self::Ready(text) => text,
            Self::Later(later) => later.await,
        }
    }
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self::Ready(text)
    }
}

impl From<&str> for Answer {
    fn from(text: &str) -> Self {
        Self::Ready(text.to_owned())
    }
}
