//! The server: the one place that knows everybody.
//!
//! In: a command line. Out: a running server (or one message sent, a configuration checked, a conversation with another server).
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
mod completions;
mod configuration;
mod diagnosis;
mod events;
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
mod scheduler;
mod send;
mod server;
mod signals;
mod source;
mod spawner;
mod storage;
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
        Some(Command::Console(options)) => ExitCode::from(chappe_console::run(&options)),
        Some(Command::Reference { page }) => {
            // A closed pipe has read enough.
            let _ = std::io::stdout().write_all(reference::page(page).as_bytes());
            ExitCode::SUCCESS
        }
    }
}
