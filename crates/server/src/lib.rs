//! The server: the one place that knows everybody.
//!
//! In: a command line. Out: a running server (or one message sent, a configuration checked, an API command run).
//! `boot` reads the configuration by `configuration`, wires everybody in `server` and loads the
//! modules that `modules.conf` names; `reload` builds the configuration anew and hands it to those who run.
//!
//! Invariant: the other crates meet here and nowhere else. Nothing here is on the way of a message: what blocks
//! (reading files, opening sockets) runs on threads of its own while messages flow.

#![forbid(unsafe_code)]

mod alt_plans;
mod asked_directory;
mod banner;
mod binding_plans;
mod boot;
mod bound_configurations;
mod check;
mod cli;
mod clock;
mod commands;
mod configuration;
mod diagnosis;
mod files;
mod heartbeat;
mod idle;
mod logging;
mod lua_conf;
mod modules;
mod plan_check;
mod presets;
mod reference;
mod reload;
mod send;
mod server;
mod signals;
mod source;
mod switch_conf;
mod version;
mod worker_conf;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

/// Does what the command line of this process says.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        None => boot::serve(cli.serve),
        Some(Command::Serve(configured)) => boot::serve(configured),
        Some(Command::Check(configured)) => check::run(configured),
        Some(Command::Send(options)) => send::run(&options),
        Some(Command::Console(options)) => console(&options),
        Some(Command::Reference { page }) => {
            // A closed pipe has read enough.
            let _ = std::io::stdout().write_all(reference::page(page).as_bytes());
            ExitCode::SUCCESS
        }
    }
}

/// Runs one API command of a running server. Exit code 1 when it can't be asked or answers `-ERR`.
fn console(options: &cli::Console) -> ExitCode {
    let address = format!("{}:{}", options.host, options.port);
    match chappe_console::execute(&address, &options.password, &options.execute) {
        Ok(text) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            if text.starts_with("-ERR") { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            eprintln!("chappe console: failed to ask {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
