//! The modules: which features run, and switching them on and off while the server does.
//!
//! A module is a FreeSWITCH name for a set of features. Loading, unloading and reconfiguring one may block (sockets are
//! opened, files too), so all of it happens off the asynchronous path.

mod commands;
mod console;
mod curl;
mod db;
mod dptools;
mod erlang;
mod event_socket;
mod hash;
mod javascript;
mod logfile;
mod lua;
mod perl;
mod python;
mod sms;
mod sofia;
mod workers;
mod xml_curl;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chappe_event::EventName;

use crate::configuration::Configuration;
use crate::server::Server;

pub use erlang::ErlangModule;
pub use event_socket::EventSocketModule;
pub use lua::LuaModule;
pub use sofia::SofiaModule;
use workers::WorkerModule;

/// Every app that a module brings.
pub fn apps() -> impl Iterator<Item = chappe_chat::AppRow> {
    let workers = WORKERS.iter().map(|kind| kind.app);
    let others = [chappe_curl::APP, lua::APP, chappe_outbound_socket::APP];
    let tables = chappe_tables::app_rows();
    chappe_chat::apps::rows().into_iter().chain(others).chain(workers).chain(tables)
}

/// The API commands of the languages that have worker processes.
pub fn worker_commands() -> impl Iterator<Item = chappe_api::Row> {
    WORKERS.iter().flat_map(|kind| [kind.api, kind.run])
}

/// The languages that have worker processes.
static WORKERS: [workers::Kind; 3] = [python::KIND, perl::KIND, javascript::KIND];

/// A set of features under a FreeSWITCH module's name.
trait Module: Send + Sync {
    fn name(&self) -> &'static str;

    /// Switches the features on.
    fn load(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError>;

    /// Switches them off.
    fn unload(&self, server: &Arc<Server>);

    /// Takes a new configuration.
    fn reconfigure(&self, _: &Arc<Server>, _: &Configuration) -> Result<(), ModuleError> {
        Ok(())
    }

    /// SIGHUP came.
    fn hangup(&self) {}
}

/// Why a module can't do what it is asked. The first four are FreeSWITCH's words, which scripts look for.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    #[error("module load file routine returned an error")]
    Unknown,
    #[error("Module already loaded")]
    AlreadyLoaded,
    #[error("No such module!")]
    NotLoaded,
    #[error("Module is not unloadable")]
    NotUnloadable,
    #[error(transparent)]
    EventSocket(#[from] chappe_event_socket::BindError),
    #[error(transparent)]
    Erlang(#[from] chappe_erlang::ErlangError),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Sofia(Vec<chappe_sip_endpoint::EndpointError>),
    #[error("{path}: {error}")]
    Logfile { path: String, error: std::io::Error },
    #[error(transparent)]
    Tables(#[from] Box<chappe_tables::TableError>),
    #[error(transparent)]
    Worker(#[from] chappe_script::worker::StartError),
    #[error(transparent)]
    XmlCurl(#[from] chappe_xml_curl::XmlCurlError),
    #[error("failed to start its threads: {0}")]
    Threads(std::io::Error),
}

/// All modules there are, and which of them are loaded.
pub struct Modules {
    all: Vec<Box<dyn Module>>,
    pub sofia: Arc<SofiaModule>,
    pub event_socket: Arc<EventSocketModule>,
    pub erlang: Arc<ErlangModule>,
    pub lua: Arc<LuaModule>,
    /// Names, in the order of loading.
    loaded: Mutex<Vec<&'static str>>,
}

impl Default for Modules {
    fn default() -> Self {
        let sofia = Arc::new(SofiaModule::default());
        let event_socket = Arc::new(EventSocketModule::default());
        let erlang = Arc::new(ErlangModule::default());
        let lua = Arc::new(LuaModule::default());
        Self {
            all: vec![
                Box::new(console::ConsoleModule),
                Box::new(logfile::LogfileModule::default()),
                Box::new(commands::CommandsModule),
                Box::new(dptools::DptoolsModule),
                Box::new(sms::SmsModule),
                Box::new(hash::HashModule),
                Box::new(db::DbModule),
                Box::new(curl::CurlModule::default()),
                Box::new(lua.clone()),
                Box::new(WorkerModule::new(&WORKERS[0])),
                Box::new(WorkerModule::new(&WORKERS[1])),
                Box::new(WorkerModule::new(&WORKERS[2])),
                Box::new(sofia.clone()),
                Box::new(event_socket.clone()),
                Box::new(erlang.clone()),
                Box::new(xml_curl::XmlCurlModule::default()),
            ],
            sofia,
            event_socket,
            erlang,
            lua,
            loaded: Mutex::default(),
        }
    }
}

impl Modules {
    /// The names of the loaded ones, in the order of loading.
    pub fn loaded(&self) -> Vec<&'static str> {
        self.list().clone()
    }

    /// FreeSWITCH compares the names as they are.
    pub fn is_loaded(&self, name: &str) -> bool {
        self.list().contains(&name)
    }

    /// Whether there is such a module.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    pub fn load(&self, server: &Arc<Server>, name: &str) -> Result<(), ModuleError> {
        let _turn = server.turn();
        let module = self.find(name).ok_or(ModuleError::Unknown)?;
        if self.is_loaded(module.name()) {
            return Err(ModuleError::AlreadyLoaded);
        }
        module.load(server, &server.configuration())?;
        self.list().push(module.name());
        tracing::info!(fs_level = "notice", "module {} loaded", module.name());
        server.announce(EventName::ModuleLoad, &about(module.name()));
        Ok(())
    }

    pub fn unload(&self, server: &Arc<Server>, name: &str) -> Result<(), ModuleError> {
        let _turn = server.turn();
        let module =
            self.find(name).filter(|module| self.is_loaded(module.name())).ok_or(ModuleError::NotLoaded)?;
        if module.name() == commands::NAME {
            // The command that could bring it back is one of its own.
            return Err(ModuleError::NotUnloadable);
        }
        self.list().retain(|loaded| *loaded != module.name());
        module.unload(server);
        tracing::info!(fs_level = "notice", "module {} unloaded", module.name());
        server.announce(EventName::ModuleUnload, &about(module.name()));
        Ok(())
    }

    /// Hands a new configuration to all that are loaded. One that fails does not keep it from the others.
    pub fn reconfigure(&self, server: &Arc<Server>, configuration: &Configuration) -> Vec<ModuleError> {
        let loaded = self.loaded();
        let modules = self.all.iter().filter(|module| loaded.contains(&module.name()));
        modules.filter_map(|module| module.reconfigure(server, configuration).err()).collect()
    }

    /// Unloads what runs scripts: worker processes end before the server does.
    pub fn end_scripts(&self, server: &Arc<Server>) {
        let workers = WORKERS.iter().map(|kind| kind.name);
        for name in workers.chain([lua::NAME]).filter(|name| self.is_loaded(name)) {
            if let Err(error) = self.unload(server, name) {
                tracing::warn!("failed to unload {name}: {error}");
            }
        }
    }

    /// SIGHUP came.
    pub fn hangup(&self) {
        self.all.iter().for_each(|module| module.hangup());
    }

    fn find(&self, name: &str) -> Option<&dyn Module> {
        let name = name.rsplit('/').next().unwrap_or(name);
        let name = name.split('.').next().unwrap_or(name);
        self.all.iter().map(|module| &**module).find(|module| module.name() == name)
    }

    fn list(&self) -> MutexGuard<'_, Vec<&'static str>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The headers of a module's events. FreeSWITCH has one event for each of its interfaces; a module stands for all of them.
fn about(name: &str) -> [(&'static str, &str); 4] {
    [("type", "module"), ("name", name), ("key", name), ("filename", name)]
}

impl<M: Module> Module for Arc<M> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn load(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        (**self).load(server, configuration)
    }

    fn unload(&self, server: &Arc<Server>) {
        (**self).unload(server);
    }

    fn reconfigure(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        (**self).reconfigure(server, configuration)
    }

    fn hangup(&self) {
        (**self).hangup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chappe_config::modules::{Standing, table};

    #[test]
    fn what_is_provided_is_here() {
        let modules = Modules::default();
        for row in table().iter().filter(|row| row.standing == Standing::Provided) {
            assert!(modules.find(row.name).is_some(), "{} is said to be provided", row.name);
        }
        for module in &modules.all {
            let row = table().iter().find(|row| row.name == module.name());
            let ignored = row.is_none_or(|row| matches!(row.standing, Standing::Ignored(_)));
            assert!(!ignored, "{} is said to have no meaning", module.name());
        }
    }
}
