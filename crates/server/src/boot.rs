//! `chappe serve`: from nothing to a running server, and back.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chappe_event::{Clock, EventName, Globals, LogBus};
use tracing_subscriber::layer::SubscriberExt;
use uuid::Uuid;

use crate::banner::Banner;
use crate::cli::Configured;
use crate::clock::SystemClock;
use crate::configuration::Configuration;
use crate::diagnosis;
use crate::heartbeat;
use crate::idle::IdleCpu;
use crate::logging::{BusLayer, ConsoleConfig, ConsoleSink, LogCap, Stamp, follow_levels};
use crate::modules::ModuleError;
use crate::presets::Machine;
use crate::reload::apply_settings;
use crate::server::{Ending, Ground, Server};
use crate::signals::Signals;
use crate::source::Source;
use crate::storage;

/// How long messages under way are waited for when the server ends.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error("the configuration can't be used; mend the errors above (chappe check shows them again)")]
    Configuration,
    #[error("failed to start {module}: {error}\n{hint}")]
    Module { module: String, error: ModuleError, hint: &'static str },
    #[error("failed to start a thread: {0}")]
    Thread(io::Error),
    #[error("failed to catch signals: {0}")]
    Signals(io::Error),
    #[error("no randomness: {0}")]
    Random(getrandom::Error),
}

const ADDRESS_TAKEN: &str = "Another program has the address, or this machine does not have it. End the other program (`ss -lntup` shows \
     who listens), or listen elsewhere: with the sample configuration `chappe serve --set sip_port=5070 --set \
     event_socket_port=8031`, with one of your own in sofia.conf (sip-ip, sip-port) and event_socket.conf (listen-ip, \
     listen-port).";

/// Runs a server until it is asked to end. Exit code 0 when it ended as asked.
pub fn serve(configured: Configured) -> ExitCode {
    match run(configured) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("chappe: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(configured: Configured) -> Result<ExitCode, BootError> {
    let (ground, configuration) = prepare(Source::choose(configured))?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(BootError::Thread)?;
    let signals = runtime.block_on(async { Signals::catch() }).map_err(BootError::Signals)?;
    let server = Server::new(ground, configuration, runtime.handle().clone());
    let started = start(&server);
    if let Err(error) = started {
        server.ground.console.flush();
        return Err(error);
    }
    runtime.spawn(signals.obey(server.clone()));
    runtime.spawn(heartbeat::beat(server.clone()));
    server.set_ready();
    server.announce(EventName::Startup, &[("Event-Info", "System Ready")]);
    print_banner(&server);

    let ending = runtime.block_on(finish(server.clone()));
    server.modules.end_scripts(&server);
    runtime.block_on(storage::let_go(&server));
    tracing::info!(fs_level = "notice", "ended");
    let _ = server.modules.unload(&server, "mod_logfile");
    server.ground.console.flush();
    runtime.shutdown_timeout(Duration::from_millis(100));
    Ok(if ending == Ending::Gently { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The log, the variables, the configuration.
fn prepare(source: Source) -> Result<(Ground, Configuration), BootError> {
    let machine = Machine::look(Uuid::new_v4().to_string(), password()?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let ground = Ground {
        source,
        machine,
        clock,
        globals: Arc::new(Globals::new()),
        log_bus: Arc::new(LogBus::new()),
        log_cap: LogCap::default(),
        console: Arc::new(ConsoleSink::start(ConsoleConfig::default()).map_err(BootError::Thread)?),
        idle: Arc::new(IdleCpu::default()),
    };
    start_log(&ground);
    chappe_sip_endpoint::prepare_process();
    let presets = start_presets(&ground.source, &ground.machine);
    let hostname = ground.machine.identity().switchname;
    let configuration = Configuration::read_and_ask(&ground.source, &presets, &hostname);
    diagnosis::log(&configuration.diagnostics);
    if configuration.diagnostics.has_errors() {
        ground.console.flush();
        return Err(BootError::Configuration);
    }
    Ok((ground, configuration))
}

/// The global variables there are before the configuration's first line.
pub fn start_presets(source: &Source, machine: &Machine) -> Vec<(String, String)> {
    machine.presets(source.folders())
}

fn start_log(ground: &Ground) {
    ground.log_bus.add(ground.console.clone());
    let stamp = Stamp { clock: ground.clock.clone(), idle: ground.idle.clone() };
    let layer = BusLayer::new(ground.log_bus.clone(), ground.log_cap.clone(), stamp);
    // Where a log is set already, in a test for instance, it stays.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer));
    follow_levels(&ground.log_bus);
}

/// What the modules need to run is applied, then they are loaded in the configuration's order. One without which nobody
/// reaches the server ends the start; the others are reported.
fn start(server: &Arc<Server>) -> Result<(), BootError> {
    let configuration = server.configuration();
    apply_settings(server, &configuration, None);
    storage::take_up(server);
    for module in configuration.modules.iter().filter(|module| server.modules.has(module)) {
        match server.modules.load(server, module) {
            Ok(()) => {}
            Err(error @ (ModuleError::Sofia(_) | ModuleError::EventSocket(_))) => {
                return Err(BootError::Module { module: module.clone(), error, hint: ADDRESS_TAKEN });
            }
            Err(error) => tracing::error!("failed to start {module}: {error}"),
        }
    }
    Ok(())
}

/// Waits to be asked to end, then takes nothing new and finishes what is under way.
async fn finish(server: Arc<Server>) -> Ending {
    let mut ending = server.ending();
    let how = async |ending: &mut tokio::sync::watch::Receiver<Option<Ending>>,
                     wanted: fn(Ending) -> bool| {
        let asked = ending.wait_for(|ending| ending.is_some_and(wanted)).await.map(|asked| *asked);
        asked.ok().flatten().unwrap_or(Ending::AtOnce)
    };
    let first = how(&mut ending, |_| true).await;
    server.announce(EventName::Shutdown, &[("Event-Info", "System Shutting Down")]);
    if first == Ending::AtOnce {
        server.modules.event_socket.stop().await;
        server.modules.erlang.stop().await;
        return Ending::Gently;
    }
    let gently = async {
        server.modules.sofia.drain(PATIENCE).await;
        server.modules.event_socket.stop().await;
        server.modules.erlang.stop().await;
        Ending::Gently
    };
    tokio::select! {
        done = gently => done,
        hurried = how(&mut ending, |asked| asked == Ending::AtOnce) => hurried,
    }
}

fn print_banner(server: &Server) {
    let listening = server.modules.sofia.endpoint().map(|endpoint| endpoint.listening()).unwrap_or_default();
    let sip: Vec<_> = listening.into_iter().map(|one| (one.profile, one.transport, one.addr)).collect();
    let made = &server.ground.machine.password;
    let used = server.configuration().directory.users().any(|user| user.param("password") == Some(made));
    let banner = Banner {
        configuration: &server.ground.source.title(),
        sip: &sip,
        event_socket: server.modules.event_socket.address(),
        password: used.then_some(made.as_str()),
        demo: server.ground.source.is_embedded(),
        program: &std::env::current_exe().unwrap_or_else(|_| "chappe".into()),
    };
    let mut out = io::stdout().lock();
    // Whoever closed the output does not want the banner.
    let _ = out.write_all(banner.text().as_bytes()).and_then(|()| out.flush());
}

/// Twelve characters that are easy to type, of 32 kinds each.
fn password() -> Result<String, BootError> {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(BootError::Random)?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_differ() {
        let (one, other) = (password().expect("random"), password().expect("random"));
        assert_eq!(one.len(), 12);
        assert_ne!(one, other);
    }
}
