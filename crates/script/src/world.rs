//! What all runs share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chappe_api::Registry;
use chappe_chat::Router;
use chappe_event::{Bus, Globals};
use tokio::runtime::Handle;

use crate::host::dbh::Connections;

/// The server, as scripts see it.
pub struct World {
    router: Arc<Router>,
    /// Where futures find timers and sockets.
    runtime: Handle,
    pub(crate) connections: Connections,
    stopping: AtomicBool,
}

impl World {
    pub fn new(router: Arc<Router>, runtime: Handle) -> Arc<Self> {
        Arc::new(Self {
            router,
            runtime,
            connections: Connections::default(),
            stopping: AtomicBool::new(false),
        })
    }

    pub fn router(&self) -> &Arc<Router> {
        &self.router
    }

    pub fn registry(&self) -> &Arc<Registry> {
        self.router.registry()
    }

    pub fn bus(&self) -> &Arc<Bus> {
        self.router.bus()
    }

    pub fn globals(&self) -> &Arc<Globals> {
        self.router.globals()
    }

    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Ends all scripts that run, those that never end by themselves too. No other is begun.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}
