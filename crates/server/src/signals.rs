//! SIGTERM and SIGINT end the server, SIGHUP reloads it.

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::reload;
use crate::server::{Ending, Server};

/// The signals that are heard, from the moment this exists.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Has to be called on a tokio runtime.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Obeys them for as long as the server runs. The second one that asks it to end is not waited out.
    pub async fn obey(mut self, server: Arc<Server>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => end(&server),
                _ = self.interrupt.recv() => end(&server),
                _ = self.hangup.recv() => {
                    let server = server.clone();
                    tokio::task::spawn_blocking(move || reload::hangup(&server));
                }
            }
        }
    }
}

fn end(server: &Server) {
    if server.is_ending() {
        server.end(Ending::AtOnce);
    } else {
        tracing::info!(fs_level = "notice", "ending: finishing what is under way");
        server.end(Ending::Gently);
    }
}
