//! mod_event_socket.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use chappe_event_socket::{EventSocket, EventSocketDeps};

use super::{Module, ModuleError};
use crate::configuration::Configuration;
use crate::server::Server;

const NAME: &str = "mod_event_socket";

/// Holds the socket while the module is loaded.
#[derive(Default)]
pub struct EventSocketModule {
    socket: Mutex<Option<Arc<EventSocket>>>,
}

impl EventSocketModule {
    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.socket().and_then(|socket| socket.local_addr())
    }

    /// Tells the clients that the server ends.
    pub async fn stop(&self) {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(socket) = socket {
            socket.stop().await;
        }
    }

    fn socket(&self) -> Option<Arc<EventSocket>> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Module for EventSocketModule {
    fn name(&self) -> &'static str {
        NAME
    }

    fn load(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        let lists = Arc::downgrade(server);
        let socket = EventSocket::new(EventSocketDeps {
            bus: server.bus.clone(),
            registry: server.registry.clone(),
            log_bus: server.ground.log_bus.clone(),
            clock: server.ground.clock.clone(),
            acl: Arc::new(move |list, ip| {
                lists.upgrade().is_some_and(|server| server.configuration().acl.allows(list, ip))
            }),
        });
        let _runtime = server.runtime.enter();
        socket.apply(configuration.event_socket.clone())?;
        *self.socket.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(socket));
        Ok(())
    }

    /// The clients are told on the runtime: whoever asked for this may be one of them.
    fn unload(&self, server: &Arc<Server>) {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(socket) = socket {
            socket.close();
            server.runtime.spawn(async move { socket.stop().await });
        }
    }

    fn reconfigure(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        let Some(socket) = self.socket() else { return Ok(()) };
        let _runtime = server.runtime.enter();
        socket.apply(configuration.event_socket.clone())?;
        Ok(())
    }
}
