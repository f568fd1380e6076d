//! mod_console: the API command `console`. The console itself is there without it, so that a server never ends or
//! fails without a word.

use std::sync::Arc;

use super::{Module, ModuleError};
use crate::commands;
use crate::configuration::Configuration;
use crate::server::Server;

pub const NAME: &str = "mod_console";

pub struct ConsoleModule;

impl Module for ConsoleModule {
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
