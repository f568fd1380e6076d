//! Profiles: sockets, registrar, authentication, SIP to Event and back, the `sip` chat interface, mod_sofia's commands.
//!
//! In goes what phones send; a MESSAGE becomes an [`Event`](chappe_event::Event) for the
//! [`Router`](chappe_chat::Router), whose verdict becomes the sender's final response. Out goes what the router sends
//! by the chat interface `sip`: one request a binding, with one outcome.
//!
//! A profile has a few shards. A shard is a thread that owns one UDP socket of the profile's address, its transactions,
//! its flows and its timers: it sleeps in epoll, reads a batch, parses it in place, polls the flows, sends a batch.
//! Connections (TCP, TLS, WebSocket), DNS and everything else that has to be awaited live on the tokio runtime that is handed in, and reach
//! the shards by bounded mailboxes.
//!
//! Invariant: a shard never blocks. A message that has to wait is a paused flow; it holds up nothing else.

mod access;
mod auth;
mod commands;
mod config;
mod endpoint;
mod error;
mod gateway;
mod guard;
mod inbound;
mod kept;
mod nat;
mod notices;
mod outbound;
mod process;
mod profile;
mod push;
mod registrar;
mod restore;
mod shard;
mod text;
mod transport;
mod way;
mod world;

pub use commands::rows as command_rows;
pub use config::{
    Binding, GATEWAY_PARAMS, GLOBAL_PARAMS, GuardConfig, ListenIp, Multiple, PROFILE_PARAMS, ProfileConfig,
    Realm, SofiaConfig, TlsConfig, Verify, WebSocketConfig, check_directory,
};
pub use endpoint::{Applied, Endpoint, EndpointDeps, Listening};
pub use error::EndpointError;
pub use gateway::EVENTS as GATEWAY_EVENTS;
pub use notices::EVENTS;
pub use process::prepare as prepare_process;
pub use registrar::Registration;
pub use shard::spawn_here;
#[doc(hidden)]
pub use transport::websocket;
