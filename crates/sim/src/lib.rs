//! A virtual clock and a seeded network that loses, delays, duplicates and reorders datagrams, for tests.
//!
//! In: the nodes under test, a seed, and the [`Faults`] of the network. Out: the same run, datagram for datagram, every
//! time. A test that fails under one seed fails under it again.
//!
//! The parts can be used alone ([`Clock`], [`Network`], [`Random`]) or together through [`Simulation`], which drives
//! any number of [`Node`]s until nothing is left to happen or the virtual time is up.
//!
//! Invariant: this crate never waits, opens no socket, and knows nothing of SIP. The only real clock it reads is the
//! arbitrary point from which the virtual one starts, because an `Instant` can't be made from nothing.

#![forbid(unsafe_code)]

mod clock;
mod network;
mod random;
mod simulation;

pub use clock::Clock;
pub use network::{Datagram, Faults, Network, Traffic};
pub use random::Random;
pub use simulation::{Node, Simulation};
