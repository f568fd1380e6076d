//! mod_commands: the API commands that belong to no other module.

use std::sync::Arc;

use super::{Module, ModuleError};
use crate::commands;
use crate::configuration::Configuration;
use crate::server::Server;

pub const NAME: &str = "mod_commands";

pub struct CommandsModule;

impl Module for CommandsModule {
    fn name(&self) -> &'static str {
        NAME
    }

    fn load(&self, server: &Arc<Server>, _: &Configuration) -> Result<(), ModuleError> {
        let deps = chappe_api::commands::Deps {
            globals: server.ground.globals.clone(),
            clock: server.ground.clock.clone(),
            identity: server.identity.clone(),
            random: Arc::new(|| uuid::Uuid::new_v4().into_bytes()),
        };
        chappe_api::commands::register(&server.registry, deps);
        commands::register(server, NAME);
        server.tables.register(NAME, &server.router, &server.registry);
        Ok(())
    }

    fn unload(&self, server: &Arc<Server>) {
        server.registry.remove_module(NAME);
    }
}
