//! The console: what fs_cli is to FreeSWITCH.
//!
//! In: options, a profile, and what somebody types or a pipe brings. Out: what a server answers, and what it logs and fires.
//!
//! Three threads: one that types (the line editor in `editor`, or plain `lines`), one that holds the conversation
//! (`session`), and one that prints what comes unasked (`screen`), so that none of them waits for another's slowness.
//! Options, profiles and everything that is read off the wire are values and functions without I/O.
//!
//! Invariant: everything goes over the event socket, in FreeSWITCH's words; nothing of the server is known here. Nothing
//! that a server sends reaches a terminal before `printable` saw it.
#![forbid(unsafe_code)]

mod color;
pub mod completion;
pub mod connection;
mod editor;
pub mod execute;
mod files;
mod lines;
mod options;
pub mod printable;
pub mod profile;
mod prompt;
mod run;
pub mod screen;
pub mod session;
pub mod settings;
mod show;
mod standing;
mod typed;

pub use options::Options;
pub use run::run;
