//! mod_logfile: log files.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chappe_event::LogSinkId;

use super::{Module, ModuleError};
use crate::configuration::Configuration;
use crate::logging::{LogfileConfig, LogfileSink};
use crate::server::Server;

/// Holds the open files while the module is loaded.
#[derive(Default)]
pub struct LogfileModule {
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    config: LogfileConfig,
    sinks: Vec<(LogSinkId, Arc<LogfileSink>)>,
}

impl LogfileModule {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Module for LogfileModule {
    fn name(&self) -> &'static str {
        "mod_logfile"
    }

    fn load(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        let mut sinks = Vec::new();
        for profile in &configuration.logfile.profiles {
            let path = profile.rotation.path.display().to_string();
            let sink =
                LogfileSink::start(profile.clone()).map_err(|error| ModuleError::Logfile { path, error })?;
            sinks.push(Arc::new(sink));
        }
        let log_bus = &server.ground.log_bus;
        let sinks = sinks.into_iter().map(|sink| (log_bus.add(sink.clone()), sink)).collect();
        *self.open() = Open { config: configuration.logfile.clone(), sinks };
        Ok(())
    }

    fn unload(&self, server: &Arc<Server>) {
        let open = std::mem::take(&mut *self.open());
        for (id, sink) in open.sinks {
            server.ground.log_bus.remove(id);
            sink.flush();
        }
    }

    fn reconfigure(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        if self.open().config == configuration.logfile {
            return Ok(());
        }
        self.unload(server);
        self.load(server, configuration)
    }

    fn hangup(&self) {
        for (_, sink) in &self.open().sinks {
            sink.rotate();
        }
    }
}
