//! Why there is no table.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// What went wrong, in words for whoever started the program.
#[derive(Debug)]
pub enum BenchError {
    /// Server and load would share a core.
    Cores { usable: usize },
    /// The binary to measure is not there.
    NoServer(PathBuf),
    /// The server ended or did not answer.
    Server { what: &'static str, log: String },
    /// The event socket said something else than was expected.
    EventSocket { expected: &'static str, said: String },
    /// A user could not be registered.
    Register { user: String, why: String },
    /// A connection is not what it should be.
    Connection(String),
    /// What a row needs was not started.
    NotStarted(String),
    /// Some rows or parts have no figures; the others have.
    Incomplete { failed: usize },
    /// The store did not take a message, or not as it should.
    Store(String),
    /// The system refused something.
    System { doing: &'static str, source: io::Error },
}

impl BenchError {
    /// For `map_err`: names what was being done.
    pub fn system(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| BenchError::System { doing, source }
    }
}

impl fmt::Display for BenchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BenchError::Cores { usable } => {
                write!(
                    f,
                    "server and load need a core each; this process may use {usable} (see --server-core, --load-core)"
                )
            }
            BenchError::NoServer(path) => {
                write!(
                    f,
                    "no server at {}: build it with `cargo build --release`, or name it with --chappe",
                    path.display()
                )
            }
            BenchError::Server { what, log } => write!(f, "the server {what}; the end of its log:\n{log}"),
            BenchError::EventSocket { expected, said } => {
                write!(f, "the event socket should have said {expected}, and said {said:?}")
            }
            BenchError::Register { user, why } => write!(f, "failed to register {user}: {why}"),
            BenchError::Connection(why) => write!(f, "a connection failed: {why}"),
            BenchError::NotStarted(why) => f.write_str(why),
            BenchError::Incomplete { failed } => {
                write!(f, "{failed} of what was to be measured failed; the rest is told")
            }
            BenchError::Store(why) => write!(f, "the store failed: {why}"),
            BenchError::System { doing, source } => write!(f, "failed to {doing}: {source}"),
        }
    }
}

impl std::error::Error for BenchError {}
