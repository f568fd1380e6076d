//! Scripts in the machine's own interpreters: a pool of worker processes for each language.
//!
//! A [`Pool`] has up to so many workers, each a process with a thread of the server that talks to it: one run at a time,
//! and while it lasts the script may call the [host table](crate::host), which is answered on that thread. What goes
//! over the wire is in [`wire`], how a process is started and ended in `process`, what one run says in `dialogue`.
//! A [`Language`] is a constant: the interpreter, the two programs that are handed to it at its start, its names.
//!
//! Invariant: nothing a script does reaches further than its own worker. One that dies, hangs, floods the log or breaks
//! the protocol costs its own message; the process is ended and another one started.

mod dialogue;
mod javascript;
mod language;
mod log;
mod perl;
mod pool;
mod process;
mod python;
mod wire;

pub use javascript::JAVASCRIPT;
pub use language::{Language, Settings};
pub use perl::PERL;
pub use pool::Pool;
pub use process::StartError;
pub use python::PYTHON;
