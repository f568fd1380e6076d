//! What a script can call, and the scripts themselves.
//!
//! In goes a message, or a line for an API command, and the name of a script; out come the message as the script left
//! it, what it wrote, and the deliveries it began. [`host`] is the one table of everything that a script can call: the
//! binding of each language and the reference page are made from it. A [`Run`] is what one run of one script owns. An
//! [`Engine`] runs scripts of one language: [`lua`] in this process, on threads of its own, the others in the processes of a
//! [`worker`] pool.
//!
//! Invariant: a script never runs on the thread that routes messages, and nothing it does outlives its run but what it
//! asked the server for. Its time, memory, objects and output are bounded, and an engine's queue too: when it is full,
//! the message is refused.
#![forbid(unsafe_code)]

mod app;
mod block;
mod command;
mod engine;
mod error;
pub mod host;
pub mod lua;
mod run;
mod value;
pub mod worker;
mod world;

pub use app::ScriptApp;
pub use command::{ApiCommand, RunCommand, Words};
pub use engine::{Engine, Finished, Job, Patience, Refused};
pub use error::{HostError, ScriptError};
pub use run::{Harvest, Run};
pub use value::{Handle, Object, Value};
pub use world::World;
