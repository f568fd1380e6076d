//! Sockets: datagrams, and connections of every kind.
//!
//! A connection is octets that come by TCP or TLS ([`entrance`]), and a cutter that makes messages of them, plain or by
//! WebSocket ([`cut`]). What bounds it, and when it ends, is written once for all of them ([`connection`], [`table`]).

mod complaints;
mod connection;
mod connections;
mod cut;
pub mod doors;
pub mod entrance;
mod limits;
mod listeners;
pub mod mmsg;
mod outbox;
pub mod sieve;
mod steer;
mod table;
mod target;
mod tls;
pub mod udp;
mod ws;

/// What reads the octets of a WebSocket, for tests without a socket.
pub mod websocket {
    pub use super::cut::{Broken, Cut, Cutter};
    pub use super::ws::{Frames, Origins, Refusal, answer, frame};
}

pub use complaints::Complaints;
pub use connections::{Connections, Doorkeeper};
pub use limits::{ConnectionLimits, source};
pub use listeners::Listeners;
pub use tls::TlsClient;
