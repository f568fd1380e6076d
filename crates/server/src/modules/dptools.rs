//! mod_dptools: of FreeSWITCH's dialplan tools the API command `chat` and the app `limit`.

use std::sync::Arc;

use super::{Module, ModuleError};
use crate::configuration::Configuration;
use crate::server::Server;

const NAME: &str = "mod_dptools";

pub struct DptoolsModule;

impl Module for DptoolsModule {
    fn name(&self) -> &'static str {
        NAME
    }

    fn load(&self, server: &Arc<Server>, _: &Configuration) -> Result<(), ModuleError> {
        chappe_chat::register_commands(&server.router, &server.registry);
        server.tables.register(NAME, &server.router, &server.registry);
        Ok(())
    }

    fn unload(&self, server: &Arc<Server>) {
        server.registry.remove_module(NAME);
        server.router.remove_module(NAME);
    }
}
