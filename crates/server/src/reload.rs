//! Reading the configuration again: build, compare, apply.

use std::sync::Arc;

use chappe_chat::{Quirks, Settings};
use chappe_config::{Diagnostic, Diagnostics};
use chappe_event::EventName;

use crate::configuration::Configuration;
use crate::diagnosis;
use crate::modules::ModuleError;
use crate::server::Server;
use crate::storage;

/// Why the configuration on the disk does not run.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// It can't be used; the one that ran goes on.
    #[error("{}", first_errors(.0))]
    Broken(Diagnostics),
    /// It runs but for these.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Modules(Vec<ModuleError>),
}

/// One line: the first error, and how many more there are.
fn first_errors(diagnostics: &Diagnostics) -> String {
    let mut errors = diagnostics.errors();
    let first = errors.next().map(ToString::to_string).unwrap_or_default();
    match errors.count() {
        0 => first,
        more => format!("{first} (and {more} more, see the log)"),
    }
}

/// Reads everything again and applies what differs. Blocks: files are read, sockets may be opened.
///
/// The presets are the global variables of the moment, as in FreeSWITCH: what was set while the server ran stays set
/// unless the configuration sets it.
pub fn reload(server: &Arc<Server>) -> Result<(), ReloadError> {
    let _turn = server.turn();
    let globals = server.ground.globals.snapshot();
    let presets: Vec<(String, String)> =
        globals.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let configuration =
        Configuration::read_and_ask(&server.ground.source, &presets, &server.identity.switchname);
    let before = server.configuration();
    let new = |diagnostic: &&Diagnostic| !before.diagnostics.iter().any(|known| known == *diagnostic);
    diagnosis::log(configuration.diagnostics.iter().filter(new));
    if configuration.diagnostics.has_errors() {
        return Err(ReloadError::Broken(configuration.diagnostics));
    }
    let configuration = Arc::new(configuration);
    for (name, value) in &configuration.globals {
        server.ground.globals.set(name, value);
    }
    server.set_configuration(configuration.clone());
    apply_settings(server, &configuration, Some(&before));
    // Whoever reloads wants to see what is written by now, wherever it is written.
    server.bindings.flush(None);
    let failed = server.modules.reconfigure(server, &configuration);
    if !failed.is_empty() {
        for error in &failed {
            tracing::error!("{error}");
        }
        return Err(ReloadError::Modules(failed));
    }
    server.announce(EventName::Reloadxml, &[]);
    Ok(())
}

/// Applies what belongs to no module. What did not change in the files is left as it is, so that a level set by hand
/// survives.
pub fn apply_settings(server: &Server, configuration: &Configuration, before: Option<&Configuration>) {
    if before.is_none_or(|before| before.console != configuration.console) {
        server.ground.console.configure(configuration.console);
        server.ground.log_bus.refresh();
    }
    if before.is_none_or(|before| before.switch.level != configuration.switch.level) {
        server.set_log_level(configuration.switch.level);
    }
    let sms = &configuration.sms;
    let quirks = if sms.freeswitch_quirks { Quirks::freeswitch() } else { Quirks::default() };
    let settings = Settings {
        allow_system: sms.allow_system,
        system_timeout: sms.system_timeout,
        accept_after: sms.accept_after,
    };
    server.router.configure(quirks, settings);
    server.router.queue().configure(storage::queue_settings(sms));
    if before.is_some_and(|before| before.sms.store != sms.store) {
        tracing::warn!("sms.conf names another store, which counts from the next start on");
    }
}

/// What SIGHUP does: the configuration is read again, log files begin anew.
pub fn hangup(server: &Arc<Server>) {
    server.announce(EventName::Trap, &[("Trapped-Signal", "HUP")]);
    server.modules.hangup();
    match reload(server) {
        Ok(()) => tracing::info!(fs_level = "notice", "configuration reloaded"),
        Err(error) => tracing::error!("configuration not reloaded: {error}"),
    }
}
