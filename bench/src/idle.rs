//! What a TLS connection takes on which nothing happens: the growth of the server's memory by the number of connections, once
//! with nothing but their handshakes done, once with a user registered over each.
//!
//! What the kernel holds for the sockets is not in it. The connections come from several addresses of the loopback network, so
//! that the limit for one address is the server's own and the ports of one are enough. Where one process may not have as many
//! files open, they are spread over several servers, each with a [`holder`] of the client ends, all of them open at once.

pub mod holder;

use std::fmt::Write as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use self::holder::Holder;
use crate::certificates::certificates;
use crate::cli::IdleOptions;
use crate::error::BenchError;
use crate::folder::Setup;
use crate::machine;
use crate::rounds::program;
use crate::server::Server;
use crate::transport::Transport;

/// The server gives connections at most this part of the files that it may have open.
const PART: u64 = 2;
/// Files that it has open besides, at most.
const OTHERS: u64 = 100;
/// After this long it has done what a handshake leaves to be done.
const SETTLES: Duration = Duration::from_secs(2);

/// What was found.
pub struct Idle {
    connections: u32,
    servers: usize,
    /// Files that a process may have open.
    limit: u64,
    shaken: Found,
    registered: Found,
}

/// Of one kind of connection.
#[derive(Clone, Copy)]
struct Found {
    /// Octets of memory of the servers a connection.
    octets: f64,
    /// Connections made a second.
    rate: f64,
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
        let shares = shares(options.connections, limit);
        let each = |is_registered| {
            let found = measure(options, &shares, is_registered)?;
            let what = if is_registered { "registered" } else { "idle" };
            eprintln!(
                "{} connections, {what}: {:.0} octets each, {:.0}/s",
                options.connections, found.octets, found.rate
            );
            Ok(found)
        };
        Ok(Self {
            connections: options.connections,
            servers: shares.len(),
            limit,
            shaken: each(false)?,
            registered: each(true)?,
        })
    }

    /// As a table, and what it leaves out.
    pub fn markdown(&self) -> String {
        let Self { connections, servers, limit, .. } = self;
        let mut out = String::from(
            "| TLS connections on which nothing happens | memory of the server, each | made a second, one after the other |\n\
             |---|---|---|\n",
        );
        for (what, found) in
            [("nothing but the handshake", self.shaken), ("a user registered over each", self.registered)]
        {
            // Writing to a String does not fail.
            let _ = writeln!(
                out,
                "| {connections}, {what} | {:.1} KiB | {:.0} |",
                found.octets / 1024.0,
                found.rate
            );
        }
        out.push_str(REMARK);
        if *servers > 1 {
            let _ = writeln!(
                out,
                "\nThe connections are spread over {servers} servers, each a process of its own: this machine lets a process have {limit} \
                 files open, half of which the server gives to connections. Memory is that of all of them by all connections.",
            );
        }
        out
    }
}

const REMARK: &str = "\nAll connections are open at once, and are counted at the end. Memory is the growth of the process once its \
    first connection was there; what the kernel holds for the sockets is not in it.\n";

/// How many connections each server has, so that all have room.
fn shares(connections: u32, limit: u64) -> Vec<u32> {
    let room = u32::try_from((limit / PART).saturating_sub(OTHERS)).unwrap_or(u32::MAX).max(1);
    let servers = connections.div_ceil(room);
    (0..servers).map(|server| connections / servers + u32::from(server < connections % servers)).collect()
}

/// A server, and who holds the other ends of its connections.
struct Station {
    holder: Holder,
    server: Server,
    share: u32,
}

fn measure(options: &IdleOptions, shares: &[u32], is_registered: bool) -> Result<Found, BenchError> {
    let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, &certificates().authority)
        .map_err(BenchError::system("write a certificate"))?;
    let stations = shares.iter().map(|&share| Station::start(options, share, &authority, is_registered));
    let mut stations = stations.collect::<Result<Vec<_>, _>>()?;
    thread::sleep(SETTLES);
    let before = resident(&stations)?;
    let started = Instant::now();
    for station in &mut stations {
        station.holder.open(station.share)?;
    }
    let connections = f64::from(shares.iter().sum::<u32>());
    let rate = connections / started.elapsed().as_secs_f64();
    thread::sleep(SETTLES);
    let grown = resident(&stations)?.saturating_sub(before);
    stations.iter_mut().try_for_each(Station::check)?;
    Ok(Found { octets: grown as f64 / connections, rate })
}

fn resident(stations: &[Station]) -> Result<u64, BenchError> {
    stations.iter().map(|station| station.server.resident()).sum()
}

impl Station {
    /// With a first connection: what that alone brings (tables, certificates) is not counted.
    fn start(
        options: &IdleOptions,
        share: u32,
        authority: &Path,
        is_registered: bool,
    ) -> Result<Self, BenchError> {
        let setup = Setup { transport: Transport::Tls, blind: true, ..Setup::default() };
        let server = Server::chappe(&program(options.chappe.as_ref())?, options.server_core, setup)?;
        let mut holder = Holder::start(server.connections, authority, is_registered)?;
        holder.open(1)?;
        Ok(Self { holder, server, share })
    }

    /// All must be open, as both ends see it.
    fn check(&mut self) -> Result<(), BenchError> {
        let (all, open) = (self.share + 1, self.holder.count()?);
        if open != all {
            return Err(BenchError::Connection(format!("{open} of {all} are still open")));
        }
        let sockets = self.server.sockets();
        match sockets >= all as usize {
            true => Ok(()),
            false => Err(BenchError::Connection(format!("the server of {all} has {sockets} sockets"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_has_room_for_its_share() {
        assert_eq!(shares(20_000, 40_200), [20_000]);
        assert_eq!(shares(20_000, 20_000), [6667, 6667, 6666]);
        assert_eq!(shares(19_800, 20_000), [9900, 9900]);
        assert_eq!(shares(3, 0), [1, 1, 1]);
    }

    #[test]
    fn several_servers_are_told_with_the_reason() {
        let idle = |servers| Idle {
            connections: 20_000,
            servers,
            limit: 20_000,
            shaken: Found { octets: 10.0 * 1024.0, rate: 900.0 },
            registered: Found { octets: 2048.0, rate: 800.0 },
        };
        let text = idle(1).markdown();
        assert!(text.contains("| 20000, nothing but the handshake | 10.0 KiB | 900 |"), "{text}");
        assert!(!text.contains("spread"), "{text}");
        assert!(idle(3).markdown().contains("spread over 3 servers"));
    }
}
