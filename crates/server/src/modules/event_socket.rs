//! mod_event_socket: the socket that clients connect to, and the app `socket`, which connects to them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use chappe_event_socket::{Account, Accounts, EventSocket, EventSocketDeps};
use chappe_outbound_socket::{MODULE, Outbound, SocketApp};

use super::{Module, ModuleError};
use crate::configuration::Configuration;
use crate::server::Server;

/// Holds both directions while the module is loaded.
#[derive(Default)]
pub struct EventSocketModule {
    running: Mutex<Option<Running>>,
}

#[derive(Clone)]
struct Running {
    socket: Arc<EventSocket>,
    outbound: Arc<Outbound>,
}

impl EventSocketModule {
    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.running().and_then(|running| running.socket.local_addr())
    }

    /// Tells the clients that the server ends.
    pub async fn stop(&self) {
        if let Some(running) = self.replace(None) {
            running.outbound.stop();
            running.socket.stop().await;
        }
    }

    fn running(&self) -> Option<Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, running: Option<Running>) -> Option<Running> {
        std::mem::replace(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner), running)
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
        MODULE
    }

    fn load(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        let lists = Arc::downgrade(server);
        let deps = EventSocketDeps {
            bus: server.bus.clone(),
            registry: server.registry.clone(),
            log_bus: server.ground.log_bus.clone(),
            clock: server.ground.clock.clone(),
            acl: Arc::new(move |list, ip| {
                lists.upgrade().is_some_and(|server| server.configuration().acl.allows(list, ip))
            }),
            accounts: accounts(server),
        };
        let config = &configuration.event_socket;
        let socket = Arc::new(EventSocket::new(deps.clone()));
        let _runtime = server.runtime.enter();
        socket.apply(config.clone())?;
        let outbound = Outbound::new(deps, config.outbound.clone(), server.runtime.clone());
        server.router.add_app(Arc::new(SocketApp(outbound.clone())));
        self.replace(Some(Running { socket, outbound }));
        Ok(())
    }

    /// The clients are told on the runtime: whoever asked for this may be one of them. Messages that programs have in
    /// their hands stay there.
    fn unload(&self, server: &Arc<Server>) {
        server.router.remove_module(MODULE);
        if let Some(Running { socket, .. }) = self.replace(None) {
            socket.close();
            server.runtime.spawn(async move { socket.stop().await });
        }
    }

    fn reconfigure(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        let Some(Running { socket, outbound }) = self.running() else { return Ok(()) };
        let config = &configuration.event_socket;
        outbound.configure(config.outbound.clone());
        let _runtime = server.runtime.enter();
        socket.apply(config.clone())?;
        Ok(())
    }
}
