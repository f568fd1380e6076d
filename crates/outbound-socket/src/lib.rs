//! The app `socket`: FreeSWITCH's outbound event socket, for messages.
//!
//! In: `HOST:PORT [async] [full]` from a chatplan, and a program that listens there. Out: what the program made of the
//! message, by the apps it ran. The server connects once for each message; the program asks for the message's headers
//! (`connect`), has apps run (`sendmsg`), and closes, after which the chatplan goes on. With `full` it may do all that a
//! client of the event socket may.
//!
//! `target` reads the app's data, `control` and `order` are the protocol and touch no socket, `channel` makes the events
//! that clients know from calls, `handling` is one message in a program's hands, `client` does what any client may ask
//! for, `connection` moves the octets. Frames, subscriptions and what waits for a slow reader are the event socket's own.
//!
//! Invariant: a message is handled on the runtime, no thread waits for the program. It ends in time, one way or another;
//! the connections at the same time, the commands that wait and what a program does not read are bounded.
#![forbid(unsafe_code)]

mod app;
mod channel;
mod client;
mod connection;
mod control;
mod error;
mod execution;
mod handling;
mod order;
mod outbound;
mod target;

pub use app::{APP, SocketApp};
pub use error::SocketError;
pub use outbound::Outbound;
pub use target::{Place, Target};

/// The module that brings it.
pub const MODULE: &str = "mod_event_socket";
