//! mod_sms: the chatplan, and the events `SMS::SEND_MESSAGE`.

use std::sync::Arc;

use super::{Module, ModuleError};
use crate::configuration::Configuration;
use crate::server::Server;

pub struct SmsModule;

impl Module for SmsModule {
    fn name(&self) -> &'static str {
        "mod_sms"
    }

    fn load(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        server.router.set_plan(Some(configuration.plan.clone()));
        Ok(())
    }

    fn unload(&self, server: &Arc<Server>) {
        server.router.set_plan(None);
    }

    fn reconfigure(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        self.load(server, configuration)
    }
}
