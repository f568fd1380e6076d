//! The servers of a run: one of each kind that its rows need, all at once, so that rounds can take turns.

use std::path::PathBuf;

use crate::cli::Options;
use crate::error::BenchError;
use crate::folder::Setup;
use crate::register::register;
use crate::row::{Conf, Kind, Row};
use crate::server::Server;
use crate::udp::Port;

/// All that the senders manage to send is kept.
const KEEPS_ALL: &[(&str, &str)] = &[("max-waiting-per-user", "1000000"), ("max-waiting", "100000000")];
const KEEPS_NOTHING: &[(&str, &str)] = &[("store", "none")];
/// Ports of senders, and as many of receivers, where the kernel is to spread them over shards.
const SPREAD: usize = 16;

/// Servers with their users registered.
pub struct Fleet {
    servers: Vec<(Kind, Server)>,
    /// A sender's port and a receiver's.
    pub pair: Vec<Port>,
    /// As many as the kernel needs to spread them.
    pub spread: Vec<Port>,
}

impl Fleet {
    /// Starts what the rows need; a peer that is not installed is left out, with its rows.
    pub fn start(options: &Options, rows: &mut Vec<&'static Row>) -> Result<Self, BenchError> {
        let open = |count: usize| (0..count).map(|_| Port::open()).collect::<Result<Vec<_>, _>>();
        let mut fleet = Fleet { servers: Vec::new(), pair: open(2)?, spread: open(2 * SPREAD)? };
        if !options.kamailio.is_file() && rows.iter().any(|row| row.server == Kind::Kamailio) {
            eprintln!("no {}: its rows are left out", options.kamailio.display());
            rows.retain(|row| row.server != Kind::Kamailio);
        }
        for row in rows.iter() {
            if fleet.servers.iter().all(|(kind, _)| *kind != row.server) {
                let server = fleet.server(options, row.server)?;
                fleet.register_users(options, row.server, &server)?;
                fleet.servers.push((row.server, server));
            }
        }
        Ok(fleet)
    }

    pub fn get(&self, kind: Kind) -> &Server {
        let found = self.servers.iter().find(|(known, _)| *known == kind);
        found.map(|(_, server)| server).expect("the servers of all rows were started")
    }

    /// The server, and the ports that send to it and receive.
    pub fn load(&mut self, kind: Kind) -> (&Server, &mut [Port]) {
        let ports = if kind == Kind::Chappe(Conf::TwoCores) { &mut self.spread } else { &mut self.pair };
        let found = self.servers.iter().find(|(known, _)| *known == kind);
        (found.map(|(_, server)| server).expect("the servers of all rows were started"), ports)
    }

    fn server(&self, options: &Options, kind: Kind) -> Result<Server, BenchError> {
        let core = options.server_core;
        match kind {
            Kind::Floor => Server::floor(core, self.pair[0].address, self.pair[1].address),
            Kind::Kamailio => Server::kamailio(&options.kamailio, core),
            Kind::Chappe(conf) => {
                let program = program(options.chappe.as_ref())?;
                let setup = setup(options, conf);
                match conf {
                    Conf::TwoCores => Server::chappe_on(&program, &[core, options.second_core()], setup),
                    _ => Server::chappe(&program, core, setup),
                }
            }
        }
    }

    /// Those who are away stay so.
    fn register_users(&mut self, options: &Options, kind: Kind, server: &Server) -> Result<(), BenchError> {
        if kind == Kind::Floor {
            return Ok(());
        }
        let ports = if kind == Kind::Chappe(Conf::TwoCores) { &mut self.spread } else { &mut self.pair };
        let senders = ports.len() / 2;
        for user in 0..options.users {
            let port = user as usize % senders;
            register(&mut ports[port], server.address, &sender(user))?;
            register(&mut ports[senders + port], server.address, &receiver(options, user))?;
        }
        Ok(())
    }
}

fn setup(options: &Options, conf: Conf) -> Setup {
    let plain = Setup { users: 3 * options.users + 1, ..Setup::default() };
    match conf {
        Conf::Plain => plain,
        Conf::Storeless => Setup { sms: KEEPS_NOTHING, ..plain },
        Conf::Keeper => Setup { sms: KEEPS_ALL, ..plain },
        Conf::Digest => Setup { digest: true, ..plain },
        Conf::Extensions(count) => Setup { extensions: Some(count), ..plain },
        Conf::Events => Setup { event_socket: true, ..plain },
        Conf::TwoCores => Setup { shards: 2, ..plain },
    }
}

/// The user that sends.
pub fn sender(user: u32) -> String {
    (1000 + user).to_string()
}

/// The one it sends to.
pub fn receiver(options: &Options, user: u32) -> String {
    (1000 + options.users + user).to_string()
}

/// The user that sends beside the row's own load.
pub fn beside(options: &Options) -> String {
    (1000 + 2 * options.users).to_string()
}

/// One who never registers.
pub fn away(options: &Options, user: u32) -> String {
    (1000 + 2 * options.users + 1 + user).to_string()
}

/// The server to measure.
pub fn program(named: Option<&PathBuf>) -> Result<PathBuf, BenchError> {
    match named {
        Some(path) => Ok(path.clone()),
        None => {
            let this = std::env::current_exe().map_err(BenchError::system("find this program"))?;
            Ok(this.with_file_name("chappe"))
        }
    }
}
