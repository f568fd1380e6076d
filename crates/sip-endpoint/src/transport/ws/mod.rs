//! SIP over WebSocket, RFC 7118: the handshake and the frames of RFC 6455, on the server's side.

mod accept;
mod frames;
mod handshake;

pub use accept::accept;
pub use frames::{Frames, frame};
pub use handshake::{Origins, Refusal, answer};
