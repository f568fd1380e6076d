//! The console: what fs_cli is to FreeSWITCH.
//!
//! In: an address, a password and a command. Out: what the server answers.
//!
//! Invariant: everything goes over the event socket; nothing of the server is known here.
#![forbid(unsafe_code)]

use std::io;

use chappe_event_socket::client::{Client, ClientError};
use thiserror::Error;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ConsoleError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("start a runtime: {0}")]
    Runtime(#[from] io::Error),
}

/// Runs one API command on the server at `HOST:PORT` and gives its text. Blocks, and must not be called on an
/// asynchronous runtime; there, [`run`] is.
pub fn execute(address: &str, password: &str, command: &str) -> Result<String, ConsoleError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(run(address, password, command))?)
}

/// As [`execute`], on the runtime one is on.
pub async fn run(address: &str, password: &str, command: &str) -> Result<String, ClientError> {
    Client::connect(address, password).await?.console(command).await
}
