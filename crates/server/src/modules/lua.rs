//! mod_lua: its API commands, which say that a script can't be executed: there is no Lua here yet.

use std::sync::Arc;

use super::{Module, ModuleError};
use crate::commands;
use crate::configuration::Configuration;
use crate::server::Server;

const NAME: &str = "mod_lua";

pub struct LuaModule;

impl Module for LuaModule {
    fn name(&self) -> &'static str {
        NAME
    }

    fn load(&self, server: &Arc<Server>, _: &Configuration) -> Result<(), ModuleError> {
        commands::register(server, NAME);
        Ok(())
    }

    fn unload(&self, server: &Arc<Server>) {
        server.registry.remove_module(NAME);
    }
}
