//! mod_sofia: SIP.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chappe_sip_endpoint::{Endpoint, EndpointDeps};
use chappe_store::MemoryStore;

use super::{Module, ModuleError};
use crate::configuration::Configuration;
use crate::server::Server;

const NAME: &str = "mod_sofia";

/// Holds the endpoint while the module is loaded.
#[derive(Default)]
pub struct SofiaModule {
    endpoint: Mutex<Option<Arc<Endpoint>>>,
}

impl SofiaModule {
    pub fn endpoint(&self) -> Option<Arc<Endpoint>> {
        self.endpoint.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take(&self) -> Option<Arc<Endpoint>> {
        self.endpoint.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, endpoint: Arc<Endpoint>) {
        *self.endpoint.lock().unwrap_or_else(PoisonError::into_inner) = Some(endpoint);
    }

    /// Takes no new requests; returns when nothing is under way, at the latest after `patience`.
    pub async fn drain(&self, patience: Duration) {
        if let Some(endpoint) = self.take() {
            endpoint.drain(patience).await;
        }
    }
}

fn apply(endpoint: &Endpoint, configuration: &Configuration) -> Result<(), ModuleError> {
    let applied = endpoint.configure(
        configuration.sofia.clone(),
        configuration.directory.clone(),
        configuration.acl.clone(),
    );
    if applied.failed.is_empty() { Ok(()) } else { Err(ModuleError::Sofia(applied.failed)) }
}

impl Module for SofiaModule {
    fn name(&self) -> &'static str {
        NAME
    }

    /// A profile that can't listen is an error; the others run, and the module is loaded for their sake unless there is
    /// none.
    fn load(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        let endpoint = Endpoint::new(EndpointDeps {
            router: server.router.clone(),
            bus: server.bus.clone(),
            registry: server.registry.clone(),
            globals: server.ground.globals.clone(),
            clock: server.ground.clock.clone(),
            identity: server.identity.clone(),
            bindings: server.bindings.clone(),
            store: server.store.clone().unwrap_or_else(|| Arc::new(MemoryStore::default())),
            runtime: server.runtime.clone(),
        });
        endpoint.hold(!server.is_ready());
        if let Err(error) = apply(&endpoint, configuration)
            && endpoint.listening().is_empty()
        {
            endpoint.stop();
            return Err(error);
        }
        endpoint.register_commands(&server.registry);
        server.spawner.use_shards_of(&endpoint);
        self.set(endpoint);
        Ok(())
    }

    fn unload(&self, server: &Arc<Server>) {
        server.registry.remove_module(NAME);
        if let Some(endpoint) = self.take() {
            endpoint.stop();
        }
    }

    fn reconfigure(&self, _: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        self.endpoint().map_or(Ok(()), |endpoint| apply(&endpoint, configuration))
    }
}
