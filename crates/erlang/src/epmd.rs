//! The port mapper: other nodes ask it where this one listens.
//!
//! Deviation: FreeSWITCH starts `epmd -daemon` where there is none. Here no command of the machine is run; the first
//! `erl` with a name starts it, or the system's service does, and this node is registered soon after.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use erl_dist::epmd::{EpmdClient, EpmdError, NodeEntry};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::compat::TokioAsyncReadCompatExt as _;

/// How long the port mapper has to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two attempts.
const PAUSE: Duration = Duration::from_secs(2);

/// What is told to the port mapper.
pub(crate) struct Registration {
    pub(crate) epmd: SocketAddr,
    /// The part of the node's name before the @.
    pub(crate) name: String,
    pub(crate) port: u16,
    /// What it answers: it tells this life of the node from an earlier one.
    pub(crate) creation: Arc<AtomicU32>,
}

#[derive(Debug, thiserror::Error)]
enum RegisterError {
    #[error("{0}")]
    Connect(#[from] std::io::Error),
    #[error("{0}")]
    Refused(#[from] EpmdError),
    #[error("no answer")]
    Silent,
}

impl Registration {
    /// Stays registered until the task ends.
    pub(crate) async fn keep(self) {
        let mut told = false;
        loop {
            let registered = timeout(PATIENCE, self.register()).await.unwrap_or(Err(RegisterError::Silent));
            match registered {
                Ok(connection) => {
                    told = false;
                    tracing::info!(epmd = %self.epmd, name = %self.name, "erlang node is registered");
                    end(connection).await;
                    tracing::warn!(epmd = %self.epmd, "epmd is gone: erlang nodes can't find this one until it is back");
                }
                Err(error) if !told => {
                    told = true;
                    tracing::warn!(
                        epmd = %self.epmd,
                        "failed to register {} with epmd: {error}; erlang nodes can't find this one until that works. \
                         Is epmd started (epmd -daemon), and the name free (epmd -names)?",
                        self.name
                    );
                }
                Err(error) => tracing::debug!(epmd = %self.epmd, "failed to register with epmd: {error}"),
            }
            sleep(PAUSE).await;
        }
    }

    async fn register(&self) -> Result<TcpStream, RegisterError> {
        let connection = TcpStream::connect(self.epmd).await?;
        // Not to be seen in nodes(): it takes no part in what nodes do among themselves.
        let entry = NodeEntry::new_hidden(&self.name, self.port);
        let (connection, creation) = EpmdClient::new(connection.compat()).register(entry).await?;
        self.creation.store(creation.get(), Ordering::Relaxed);
        Ok(connection.into_inner())
    }
}

/// Waits until the port mapper ends.
async fn end(mut connection: TcpStream) {
    let mut octets = [0; 64];
    while matches!(connection.read(&mut octets).await, Ok(1..)) {}
}
