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
mod steer;
mod table;
mod target;
mod tls;
pub mod udp;
mod ws;

pub use connections::Connections;
pub use limits::ConnectionLimits;
pub use listeners::Listeners;
pub use tls::TlsClient;
