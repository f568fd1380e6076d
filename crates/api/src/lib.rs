//! API commands: what `api NAME ARGS` on the event socket, `${NAME(ARGS)}` in a chatplan and a script's `api:execute`
//! run.
//!
//! In goes a line, out comes the text FreeSWITCH's users know; whoever has a command to offer puts it into the
//! [`Registry`] with a [`Row`] that says what it is called and how it is used. [`commands`] holds those that need
//! nothing but the event, the global variables and a clock.
//!
//! Invariant: nothing here opens a file or a socket, starts a task, or knows who asked. A command that has to wait hands
//! its future out as [`Answer::Later`].
#![forbid(unsafe_code)]

mod aliases;
mod calendar;
mod command;
pub mod commands;
mod registry;
mod separate;

pub use aliases::{Alias, Aliases};
pub use command::{Answer, Call, Command, Later, Row};
pub use registry::{EVENTS, Registry};
pub use separate::separate;
