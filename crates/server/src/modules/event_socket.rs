//! mod_event_socket.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use chappe_event_socket::{Account, Accounts, EventSocket, EventSocketDeps};

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

/// The users that the directory lets in. FreeSWITCH takes the params of the domain, the group and the user, the last
/// said counting.
fn accounts(server: &Arc<Server>) -> Accounts {
    let server = Arc::downgrade(server);
    Arc::new(move |name, domain| {
        let configuration = server.upgrade()?.configuration();
        let user = configuration.directory.user(domain, name)?;
        let param = |name| user.param(name).map(str::to_owned);
        Some(Account {
            password: param("esl-password"),
            events: param("esl-allowed-events"),
            api: param("esl-allowed-api"),
            log: user.param("esl-allowed-log").is_none_or(chappe_event::is_true),
        })
    })
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
            accounts: accounts(server),
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
