//! mod_curl: HTTP requests as an app and as an API command.

use std::sync::{Arc, Mutex, PoisonError};

use chappe_curl::{Curl, CurlApp, CurlCommand, CurlSettings, MODULE};

use super::{Module, ModuleError};
use crate::configuration::Configuration;
use crate::server::Server;

/// Knows what it runs with while the module is loaded.
#[derive(Default)]
pub struct CurlModule {
    running: Mutex<Option<CurlSettings>>,
}

impl CurlModule {
    fn replace(&self, settings: Option<CurlSettings>) -> Option<CurlSettings> {
        std::mem::replace(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner), settings)
    }
}

impl Module for CurlModule {
    fn name(&self) -> &'static str {
        MODULE
    }

    fn load(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        self.reconfigure(server, configuration)
    }

    /// Requests under way go on.
    fn unload(&self, server: &Arc<Server>) {
        self.replace(None);
        server.router.remove_module(MODULE);
        server.registry.remove_module(MODULE);
    }

    /// What was there is replaced by one with the new settings.
    fn reconfigure(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        let settings = &configuration.curl;
        if self.replace(Some(settings.clone())).as_ref() != Some(settings) {
            let curl = Curl::new(settings.clone(), server.runtime.clone());
            server.router.add_app(Arc::new(CurlApp(curl.clone())));
            server.registry.add(Arc::new(CurlCommand(curl)));
        }
        Ok(())
    }
}
