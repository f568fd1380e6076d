//! Sockets.

pub mod mmsg;
pub mod tcp;
pub mod udp;
