//! A distributed Erlang node, FreeSWITCH's mod_erlang_event: Erlang processes on other nodes get events and log lines,
//! run API commands, send events and answer for sections of the configuration.
//!
//! In: messages that Erlang processes send to any name of this node. Out: messages to those processes. [`session`] is
//! what is said, without a socket; [`check`] is what may be said at all; the rest moves octets.
//!
//! Invariant: nobody here makes the server wait. What a node does not take is bounded; events and log lines that are too
//! many are dropped with a count in the log, and a node that takes nothing is disconnected. A term is decoded only after
//! its depth and its size were found to be within bounds.
#![forbid(unsafe_code)]

pub mod check;
mod command;
mod config;
mod connection;
mod cookie;
mod epmd;
mod fetch;
mod filter;
mod hub;
mod job;
mod name;
mod node;
mod outbox;
pub mod session;
mod term;
pub mod wire;

pub use config::{ErlangConfig, PARAMS};
pub use cookie::{CookieError, CookieSource};
pub use name::NameError;
pub use node::{Acl, ErlangDeps, ErlangError, ErlangNode};
pub use term::Encoding;

/// The API commands that the registry has while a node listens.
pub fn command_rows() -> impl Iterator<Item = chappe_api::Row> {
    std::iter::once(command::ROW)
}

/// The module's name, which its bindings bear.
pub const MODULE: &str = "mod_erlang_event";
