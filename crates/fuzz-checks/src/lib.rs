//! What holds whatever strangers send, one function a parser.
//!
//! In goes any input; a function returns or panics. The targets in `fuzz/` hand a fuzzer's inputs to them, an ordinary test
//! the inputs that are kept in `fuzz/seeds`, so that the targets are built and run without a fuzzer too.

mod cpim;
mod digest;
mod event_socket;
mod framer;
mod headers;
mod parse;
mod records;
mod registrar;
mod stun;
mod transactions;
mod uri;
mod websocket;
mod websocket_handshake;

pub use cpim::cpim;
pub use digest::digest;
pub use event_socket::event_socket;
pub use framer::framer;
pub use headers::headers;
pub use parse::parse;
pub use registrar::registrar;
pub use stun::stun;
pub use transactions::transactions;
pub use uri::uri;
pub use websocket::websocket;
pub use websocket_handshake::websocket_handshake;

/// A target's name, which is its file's in `fuzz/fuzz_targets` and its folder's in `fuzz/seeds`, and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 12] = [
    ("cpim", cpim),
    ("digest", digest),
    ("event_socket", event_socket),
    ("framer", framer),
    ("headers", headers),
    ("parse", parse),
    ("registrar", registrar),
    ("stun", stun),
    ("transactions", transactions),
    ("uri", uri),
    ("websocket", websocket),
    ("websocket_handshake", websocket_handshake),
];
