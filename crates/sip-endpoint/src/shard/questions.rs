//! Requests that wait for a user whom others than the files know.
//!
//! The question leaves with a copy of the request; when the answer is there the request is handled once more, with the
//! users found. Until then its transaction absorbs retransmissions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chappe_config::{Diagnostics, XmlQuery};
use chappe_directory::Directory;
use chappe_sip_proto::{Peer, ServerId};

use super::Shard;
use crate::inbound::{self, Asked, Request};

/// Requests of one shard that may wait; one more is answered 503.
pub(super) const LIMIT: usize = 1024;

/// RFC 3261 §17.1.2.2, Timer F: whoever sent the request waits no longer.
const PATIENCE: Duration = Duration::from_secs(32);

/// A request whose question is under way.
pub(super) struct Paused {
    bytes: Bytes,
    peer: Peer,
    server: ServerId,
}

impl Shard {
    /// Asks, and handles the request once more when the answer is there. `false`: too many wait already.
    pub fn ask(&mut self, request: &Request<'_, '_>, query: XmlQuery) -> bool {
        if self.questions.is_full() {
            return false;
        }
        let locating = self.world.deps.bindings.locate(query);
        let asking = self.world.deps.runtime.spawn(async move {
            let document = tokio::time::timeout(PATIENCE, locating).await.ok()??;
            let mut diagnostics = Diagnostics::new();
            let directory = Directory::compile(&document, &mut diagnostics);
            for wrong in diagnostics.errors() {
                tracing::error!("a directory that was asked for: {wrong}");
            }
            Some(Arc::new(directory))
        });
        let (peer, server) = (request.peer, request.server);
        let paused = Paused { bytes: Bytes::copy_from_slice(request.message.bytes()), peer, server };
        // A question that can't be answered, because the server ends or we are at fault, leaves it to the files.
        let flow = Box::pin(async move { asking.await.ok().flatten() });
        self.questions.start(flow, paused);
        true
    }

    pub(super) fn resume(&mut self, now: Instant, found: Option<Arc<Directory>>, paused: Paused) {
        let Paused { bytes, peer, server } = paused;
        match chappe_sip_msg::parse(&bytes) {
            Ok(message) => {
                let asked = Asked::Answered(found.as_deref());
                inbound::handle(self, &Request { message: &message, peer, server, now, asked });
            }
            Err(error) => self.respond(now, server, inbound::answer(error.status())),
        }
    }
}
