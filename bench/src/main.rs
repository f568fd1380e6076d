//! How fast does it route? A load generator, a relay that does nothing but move packets, and a table that compares.
//!
//! In goes a path to the server's binary; out comes one Markdown table. Server and load run on a core each. Each row is
//! measured in several short rounds, taken in turns with the other rows, so that a change in the machine's mood hits
//! all of them; the table shows medians and how far the rounds lie apart. What a message costs is told as the CPU time
//! of the server process, and as its ratio to the floor: the same packets through a relay with one receive and one send
//! call a packet and nothing between them. Ratios are of runs that were made right after each other.
//!
//! Other parts: [`events`] measures what clients of the event socket cost (`chappe-bench events`), [`store`] how fast messages
//! get to the disk (`chappe-bench store`), [`idle`] what connections take that nothing happens on (`chappe-bench idle`).
//!
//! Invariant: nothing leaves loopback, every port is one the system chose, and what was started is ended.

mod certificates;
mod cgroup;
mod cli;
mod error;
mod events;
mod facts;
mod fleet;
mod floor;
mod folder;
mod idle;
mod ledger;
mod listeners;
mod load;
mod machine;
mod message;
mod patience;
mod plot;
mod quotas;
mod register;
mod registrar;
mod results;
mod rounds;
mod row;
mod server;
mod sleeper;
mod spread;
mod stalls;
mod stop;
mod store;
mod streams;
mod sweep;
mod table;
mod transport;
mod udp;
mod wire;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let options = cli::Options::parse();
    let result = match &options.command {
        Some(cli::Command::Floor { sender, receiver }) => floor::relay(*sender, *receiver),
        Some(cli::Command::Hold { server, authority, register }) => {
            idle::holder::hold(*server, authority, *register)
        }
        Some(cli::Command::Events(options)) => events::run(options),
        Some(cli::Command::Registrar(options)) => registrar::run(options),
        Some(cli::Command::Idle(options)) => idle::run(options),
        Some(cli::Command::Store(options)) => store::run(options),
        Some(cli::Command::Overload(options)) => sweep::run(options),
        None => results::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
