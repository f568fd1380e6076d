//! Sockets.

pub mod mmsg;
mod steer;
pub mod tcp;
pub mod udp;
