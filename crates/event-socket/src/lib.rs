//! The event socket: FreeSWITCH's protocol for whoever watches and drives the server from outside.
//!
//! In: commands of clients, events of the bus, lines of the log. Out: replies in the order of the commands, and each
//! client's events and log lines as fast as it takes them. [`command`], [`session`], [`subscription`] and [`frame`] are
//! the protocol and touch no socket; the listener moves the octets; [`client`] is the other side, for the console.
//!
//! The other direction, where the server connects to a program for each message, stands in a crate of its own, which
//! works with [`Hub`], [`Member`] and [`write_frames`], the halves that any connection has.
//!
//! Invariant: nobody here makes the server wait. What a client does not take is bounded, and dropped with a count that
//! the client is told; a command that takes long holds up that client's next replies and nothing else.
#![forbid(unsafe_code)]

mod account;
pub mod client;
pub mod command;
mod config;
mod filter;
pub mod frame;
mod listener;
mod outbound_config;
pub mod session;
pub mod subscription;

pub use account::{Account, Accounts, Permissions};
pub use config::{EventSocketConfig, PARAMS};
pub use filter::Filter;
pub use listener::{
    Acl, Applied, BindError, EVENTS, EventSocket, EventSocketDeps, Hub, Member, Outbox, command_rows,
    write_frames,
};
pub use outbound_config::OutboundConfig;
