//! What SIP asks of a server between the bytes and the decisions: transactions, digest authentication, registrar
//! bindings.
//!
//! In: parsed messages ([`chappe_sip_msg::Message`]), the time, seeds. Out: datagrams to send, new requests to answer,
//! the end of requests sent, and verdicts on credentials and REGISTERs.
//!
//! - [`Transactions`]: one shard's client and server transactions, RFC 3261 §17. `receive`, `respond`, `request` and
//!   `handle_timeout` go in, [`Transactions::poll`] is drained after each of them, [`Transactions::poll_timeout`] says
//!   when to come back.
//! - [`digest`]: nonces, challenges, credentials, RFC 7616 and RFC 3261 §22.
//! - [`registrar`]: the bindings of addresses-of-record, RFC 3261 §10.3.
//!
//! Invariant: no socket, file, task, clock or randomness of the machine is touched here; `now` and the seeds are handed
//! in, so the same calls give the same bytes. Whatever the network sends, memory stays within the limits given, and
//! nothing panics.

#![forbid(unsafe_code)]

pub mod digest;
mod peer;
pub mod registrar;
mod siphash;
mod transactions;

pub use peer::{ConnectionId, Peer, Transport};
pub use transactions::{
    Branch, ClientEnd, ClientId, Counters, Identified, Limits, Output, Received, Response, ServerId, Timing,
    Transactions, Unread,
};
