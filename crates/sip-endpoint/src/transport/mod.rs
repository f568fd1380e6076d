//! Sockets.

pub mod mmsg;
pub mod sieve;
mod steer;
pub mod tcp;
pub mod udp;
