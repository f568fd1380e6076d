//! Where work goes on that nobody waits for.

use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use chappe_chat::BoxFuture;
use chappe_sip_endpoint::Endpoint;
use tokio::runtime::Handle;

/// Most such work is a message on its way to a SIP device, so a shard does it: the calling thread's own, else another,
/// else (no profile runs, or its shards have too much to do) the runtime.
pub struct Spawner {
    runtime: Handle,
    endpoint: ArcSwap<Weak<Endpoint>>,
}

impl Spawner {
    pub fn new(runtime: Handle) -> Self {
        Self { runtime, endpoint: ArcSwap::default() }
    }

    /// From here on work goes to the shards of this endpoint, while there is one.
    pub fn use_shards_of(&self, endpoint: &Arc<Endpoint>) {
        self.endpoint.store(Arc::new(Arc::downgrade(endpoint)));
    }

    pub fn spawn(&self, work: BoxFuture) {
        let Some(work) = chappe_sip_endpoint::spawn_here(work) else { return };
        let work = match self.endpoint.load().upgrade() {
            Some(endpoint) => endpoint.go_on(work),
            None => Some(work),
        };
        if let Some(work) = work {
            self.runtime.spawn(work);
        }
    }
}
