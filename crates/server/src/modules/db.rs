//! mod_db: a table on disk, groups of addresses, and limits.

use std::path::PathBuf;
use std::sync::Arc;

use chappe_tables::DB_MODULE;

use super::{Module, ModuleError};
use crate::configuration::Configuration;
use crate::server::Server;

pub struct DbModule;

impl Module for DbModule {
    fn name(&self) -> &'static str {
        DB_MODULE
    }

    fn load(&self, server: &Arc<Server>, _: &Configuration) -> Result<(), ModuleError> {
        let folder = server.ground.globals.get("db_dir");
        let folder = PathBuf::from(folder.as_deref().unwrap_or_default());
        server.tables.open_db(&folder).map_err(Box::new)?;
        server.tables.register(DB_MODULE, &server.router, &server.registry);
        Ok(())
    }

    fn unload(&self, server: &Arc<Server>) {
        server.router.remove_module(DB_MODULE);
        server.registry.remove_module(DB_MODULE);
        server.tables.close_db();
    }
}
