//! What a TLS connection takes on which nothing happens: the growth of the server's memory by the number of connections, once
//! with nothing but their handshakes done, once with a user registered over each.
//!
//! What the kernel holds for the sockets is not in it. The connections come from several addresses of the loopback network, so
//! that the limit for one address is the server's own and the ports of one are enough.

use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::IdleOptions;
use crate::error::BenchError;
use crate::folder::Setup;
use crate::machine;
use crate::register::register_over;
use crate::rounds::program;
use crate::server::Server;
use crate::streams::Connection;
use crate::transport::Transport;

/// Connections from one address: below the server's default of `max-connections-per-ip`.
const FROM_ONE: u32 = 900;
/// The server gives connections at most this part of the files that it may have open.
const PART: u64 = 2;
/// Files that it and the load have open besides, at most.
const OTHERS: u64 = 100;
/// After this long it has done what a handshake leaves to be done.
const SETTLES: Duration = Duration::from_secs(2);

/// What was found.
pub struct Idle {
    wanted: u32,
    connections: u32,
    /// Octets a connection, and connections made a second.
    shaken: (f64, f64),
    registered: (f64, f64),
}

/// Measures and prints.
pub fn run(options: &IdleOptions) -> Result<(), BenchError> {
    print!("{}", Idle::measure(options)?.markdown());
    Ok(())
}

impl Idle {
    pub fn measure(options: &IdleOptions) -> Result<Self, BenchError> {
        machine::check_cores(options.server_core, options.load_core)?;
        machine::pin(options.load_core).map_err(BenchError::system("keep the load on its core"))?;
        let limit = machine::raise_file_limit(PART * (u64::from(options.connections) + OTHERS))?;
        let room = u32::try_from((limit / PART).saturating_sub(OTHERS)).unwrap_or(u32::MAX);
        let connections = options.connections.min(room);
        let each = |is_registered| {
            let told = one(options, connections, is_registered)?;
            let what = if is_registered { "registered" } else { "idle" };
            eprintln!("{connections} connections, {what}: {:.0} octets each, {:.0}/s", told.0, told.1);
            Ok(told)
        };
        Ok(Self { wanted: options.connections, connections, shaken: each(false)?, registered: each(true)? })
    }

    /// As a table, and what it leaves out.
    pub fn markdown(&self) -> String {
        let mut out = String::from(
            "| TLS connections on which nothing happens | memory of the server, each | made a second, one after the other |\n\
             |---|---|---|\n",
        );
        let count = self.connections;
        for (what, (octets, rate)) in
            [("nothing but the handshake", self.shaken), ("a user registered over each", self.registered)]
        {
            // Writing to a String does not fail.
            let _ = writeln!(out, "| {count}, {what} | {:.1} KiB | {rate:.0} |", octets / 1024.0);
        }
        out.push_str(
            "\nMemory is the growth of the process; what the kernel holds for the sockets is not in it.\n",
        );
        if self.connections < self.wanted {
            let _ = writeln!(
                out,
                "\nThe limit of open files of this machine, half of which the server gives to connections, leaves room for {count}, \
                 not for {}.",
                self.wanted
            );
        }
        out
    }
}

/// Octets a connection, and connections a second.
fn one(options: &IdleOptions, connections: u32, is_registered: bool) -> Result<(f64, f64), BenchError> {
    let setup = Setup { transport: Transport::Tls, blind: true, ..Setup::default() };
    let server = Server::chappe(&program(options.chappe.as_ref())?, options.server_core, setup)?;
    // What the first one alone brings (tables, certificates) is not counted.
    let first = open(&server, 0, is_registered)?;
    thread::sleep(SETTLES);
    let before = server.resident()?;
    let started = Instant::now();
    let mut open_ones = vec![first];
    for number in 1..=connections {
        open_ones.push(open(&server, number, is_registered)?);
    }
    let rate = f64::from(connections) / started.elapsed().as_secs_f64();
    thread::sleep(SETTLES);
    let grown = server.resident()?.saturating_sub(before);
    match open_ones.iter().filter(|stream| is_open(stream)).count() {
        all if all == open_ones.len() => Ok((grown as f64 / f64::from(connections), rate)),
        some => Err(BenchError::Connection(format!("{some} of {} are still open", open_ones.len()))),
    }
}

fn open(server: &Server, number: u32, is_registered: bool) -> Result<TcpStream, BenchError> {
    let source = Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + number / FROM_ONE);
    let mut connection = Connection::open_from(source, Transport::Tls, server.connections)?;
    if is_registered {
        register_over(&mut connection, &format!("u{number}"))?;
    }
    connection.begin()?;
    Ok(connection.leave())
}

/// Whether the server has not closed it. What it has sent after the handshake (tickets) comes before that.
fn is_open(mut stream: &TcpStream) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_than_were_asked_for_are_told() {
        let idle = |connections| Idle {
            wanted: 20_000,
            connections,
            shaken: (10.0 * 1024.0, 900.0),
            registered: (2048.0, 800.0),
        };
        let text = idle(20_000).markdown();
        assert!(text.contains("| 20000, nothing but the handshake | 10.0 KiB | 900 |"), "{text}");
        assert!(!text.contains("limit"), "{text}");
        assert!(idle(19_800).markdown().contains("room for 19800, not for 20000"));
    }
}
