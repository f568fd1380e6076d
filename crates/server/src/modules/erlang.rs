//! mod_erlang_event.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use chappe_erlang::{ErlangDeps, ErlangNode};

use super::{Module, ModuleError};
use crate::configuration::Configuration;
use crate::server::Server;

/// Where the port mapper listens unless `ERL_EPMD_PORT` says otherwise, as for every Erlang node.
const EPMD_PORT: u16 = 4369;

/// Holds the node while the module is loaded.
#[derive(Default)]
pub struct ErlangModule {
    node: Mutex<Option<Arc<ErlangNode>>>,
}

impl ErlangModule {
    /// Disconnects the nodes.
    pub async fn stop(&self) {
        if let Some(node) = self.take() {
            node.stop().await;
        }
    }

    fn node(&self) -> Option<Arc<ErlangNode>> {
        self.node.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take(&self) -> Option<Arc<ErlangNode>> {
        self.node.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Module for ErlangModule {
    fn name(&self) -> &'static str {
        chappe_erlang::MODULE
    }

    fn load(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        let lists = Arc::downgrade(server);
        let node = ErlangNode::new(ErlangDeps {
            bus: server.bus.clone(),
            registry: server.registry.clone(),
            log_bus: server.ground.log_bus.clone(),
            bindings: server.bindings.clone(),
            runtime: server.runtime.clone(),
            acl: Arc::new(move |list, ip| {
                lists.upgrade().is_some_and(|server| server.configuration().acl.allows(list, ip))
            }),
            hostname: server.identity.hostname.clone(),
            epmd: epmd(),
        });
        let _runtime = server.runtime.enter();
        node.apply(configuration.erlang.clone())?;
        *self.node.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(node));
        Ok(())
    }

    /// The nodes are told on the runtime: whoever asked for this may be one of them.
    fn unload(&self, server: &Arc<Server>) {
        if let Some(node) = self.take() {
            node.close();
            server.runtime.spawn(async move { node.stop().await });
        }
    }

    fn reconfigure(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        let Some(node) = self.node() else { return Ok(()) };
        let _runtime = server.runtime.enter();
        node.apply(configuration.erlang.clone())?;
        Ok(())
    }
}

fn epmd() -> SocketAddr {
    let port = std::env::var("ERL_EPMD_PORT").ok().and_then(|port| port.parse().ok());
    SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port.unwrap_or(EPMD_PORT))
}
