//! mod_hash: a table in memory, and limits.

use std::sync::Arc;

use chappe_tables::HASH_MODULE;

use super::{Module, ModuleError};
use crate::configuration::Configuration;
use crate::server::Server;

pub struct HashModule;

impl Module for HashModule {
    fn name(&self) -> &'static str {
        HASH_MODULE
    }

    fn load(&self, server: &Arc<Server>, _: &Configuration) -> Result<(), ModuleError> {
        server.tables.open_hash();
        server.tables.register(HASH_MODULE, &server.router, &server.registry);
        Ok(())
    }

    /// What was kept is forgotten, as in FreeSWITCH.
    fn unload(&self, server: &Arc<Server>) {
        server.router.remove_module(HASH_MODULE);
        server.registry.remove_module(HASH_MODULE);
        server.tables.close_hash();
    }
}
