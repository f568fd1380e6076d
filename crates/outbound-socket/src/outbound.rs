//! Who connects: the limits, the connections there are, and their end.

use std::sync::Arc;

use chappe_chat::{Outcome, Router};
use chappe_event::{Event, LogSinkId, SubscriberId};
use chappe_event_socket::{EventSocketDeps, Hub, OutboundConfig};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot, watch};

use crate::{SocketError, Target, connection};

/// The message as the program left it, and what became of it.
pub(crate) type Handled = (Event, Result<Outcome, SocketError>);

/// Connections to programs that handle messages.
pub struct Outbound {
    pub(crate) deps: EventSocketDeps,
    pub(crate) hub: Arc<Hub>,
    pub(crate) stopping: watch::Sender<bool>,
    runtime: Handle,
    subscriptions: (SubscriberId, LogSinkId),
    limits: Mutex<Limits>,
}

/// What holds for new connections; exchanged as a whole when the configuration changes.
#[derive(Clone)]
struct Limits {
    config: Arc<OutboundConfig>,
    free: Arc<Semaphore>,
}

impl Limits {
    fn new(config: OutboundConfig) -> Self {
        Self { free: Arc::new(Semaphore::new(config.max_connections)), config: Arc::new(config) }
    }
}

impl Outbound {
    /// Messages are handled on `runtime`, which needs I/O and time.
    pub fn new(deps: EventSocketDeps, config: OutboundConfig, runtime: Handle) -> Arc<Self> {
        let hub = Arc::new(Hub::default());
        let subscriptions = (deps.bus.subscribe(hub.clone()), deps.log_bus.add(hub.clone()));
        let limits = Mutex::new(Limits::new(config));
        Arc::new(Self { deps, hub, stopping: watch::Sender::new(false), runtime, subscriptions, limits })
    }

    /// From here on messages are handled as `config` says.
    pub fn configure(&self, config: OutboundConfig) {
        let mut limits = self.limits.lock();
        if *limits.config != config {
            *limits = Limits::new(config);
        }
    }

    /// How many programs are connected.
    pub fn connections(&self) -> usize {
        self.hub.members().len()
    }

    /// Ends all connections. Messages that programs have in their hands fail, those that were dealt with apart.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Has a program handle the message. With too many connections open this is an error.
    pub(crate) fn start(
        self: &Arc<Self>,
        target: Target,
        message: Event,
        router: Arc<Router>,
    ) -> Result<oneshot::Receiver<Handled>, SocketError> {
        let Limits { config, free } = self.limits.lock().clone();
        let permit = free.try_acquire_owned();
        let permit = permit.map_err(|_| SocketError::Busy(config.max_connections))?;
        let (done, handled) = oneshot::channel();
        let outbound = self.clone();
        self.runtime.spawn(async move {
            connection::run(outbound, config, target, message, router, done).await;
            drop(permit);
        });
        Ok(handled)
    }
}

impl Drop for Outbound {
    fn drop(&mut self) {
        let (subscriber, sink) = self.subscriptions;
        self.deps.bus.unsubscribe(subscriber);
        self.deps.log_bus.remove(sink);
    }
}
