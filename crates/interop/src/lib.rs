//! What the tests against real clients share: a server of the test's own, a SIP peer that sees the octets,
//! and child processes that are driven by their standard input and output.
//!
//! In: the `chappe` binary beside the test executable, and whichever clients the machine has. Out: verdicts.
//! Invariant: everything happens on loopback, on ports that were free a moment ago, and ends with the test.
#![expect(clippy::expect_used, clippy::panic, reason = "a failure here is the test's failure")]

mod agent;
mod clients;
mod event_socket;
mod folder;
mod ports;
mod process;
mod secure;
mod server;

pub use agent::{Agent, Answering, Received};
pub use clients::{find, node_modules, pjsua2_python, python_with, unpacked};
pub use event_socket::{EventSocket, Heard};
pub use folder::{Folder, PASSWORD};
pub use ports::free_port;
pub use process::Driven;
pub use secure::Secure;
pub use server::{Server, binary};

/// What every client has to carry unharmed: two bytes, three bytes and four bytes of UTF-8 a letter.
pub const TEXT: &str = "héllo ž 你好 🎉";
