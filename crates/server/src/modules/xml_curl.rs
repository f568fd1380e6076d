//! mod_xml_curl: web servers that answer for sections of the configuration.

use std::sync::{Arc, Mutex, PoisonError};

use chappe_config::XmlBinding;
use chappe_xml_curl::{GatewayBinding, MODULE, XmlCurlError, XmlCurlSettings};

use super::{Module, ModuleError};
use crate::configuration::Configuration;
use crate::server::Server;

/// Knows who is asked while the module is loaded.
#[derive(Default)]
pub struct XmlCurlModule {
    running: Mutex<Vec<Arc<GatewayBinding>>>,
}

impl XmlCurlModule {
    fn replace(&self, bindings: Vec<Arc<GatewayBinding>>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = bindings;
    }

    /// One binding a setting; those whose settings did not change keep their connections.
    fn bindings(
        &self,
        server: &Arc<Server>,
        settings: &XmlCurlSettings,
    ) -> Result<Vec<Arc<GatewayBinding>>, XmlCurlError> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let binding = |wanted: &chappe_xml_curl::GatewaySettings| {
            let same = running.iter().find(|running| running.settings() == wanted);
            let new =
                || GatewayBinding::new(wanted.clone(), &server.identity.switchname, server.runtime.clone());
            same.map_or_else(new, |same| Ok(same.clone()))
        };
        settings.bindings.iter().map(binding).collect()
    }
}

impl Module for XmlCurlModule {
    fn name(&self) -> &'static str {
        MODULE
    }

    fn load(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        self.reconfigure(server, configuration)
    }

    /// Questions under way are answered yet.
    fn unload(&self, server: &Arc<Server>) {
        server.bindings.remove_module(MODULE);
        self.replace(Vec::new());
    }

    /// When one of the new bindings can't be made, those that ran go on.
    fn reconfigure(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        let bindings = self.bindings(server, &configuration.xml_curl)?;
        let as_bound = |binding: &Arc<GatewayBinding>| binding.clone() as Arc<dyn XmlBinding>;
        server.bindings.replace_module(MODULE, bindings.iter().map(as_bound).collect());
        self.replace(bindings);
        Ok(())
    }
}
