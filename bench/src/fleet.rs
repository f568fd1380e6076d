//! The servers of a run: one of each kind that the rows of a block need, all at once, so that rounds can take turns.

pub mod even;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::Options;
use crate::error::BenchError;
use crate::folder::Setup;
use crate::register::register;
use crate::row::{Conf, Kind, ROWS, Row};
use crate::server::Server;
use crate::streams::Streams;
use crate::transport::{Here, Transport};
use crate::udp::Port;
use crate::wire::{Datagrams, Wire};

/// All that the senders manage to send is kept.
const KEEPS_ALL: &[(&str, &str)] =
    &[("max-waiting-per-user", "1000000"), ("max-waiting-per-sender", "0"), ("max-waiting", "100000000")];
const KEEPS_NOTHING: &[(&str, &str)] = &[("store", "none")];
/// Ports of senders, and as many of receivers, where they are spread over shards.
pub const SPREAD: usize = 16;

/// A server that uses a tenth of such a time has nothing to catch up on.
const MOMENT: Duration = Duration::from_millis(20);
/// How long catching up may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Servers with their users registered.
pub struct Fleet {
    /// Or why one was not started.
    servers: Vec<(Kind, Result<Servers, String>)>,
    /// A sender's port and a receiver's.
    pub pair: Vec<Port>,
    /// Of many senders and receivers, half of them for each of two shards.
    pub spread: Vec<Port>,
    /// The connections of each transport.
    streams: Vec<(Transport, Streams)>,
    /// Whose turn it is; the others rest.
    at_work: Option<Kind>,
}

/// Those of a kind: one, or several that share the load.
pub struct Servers(Vec<Server>);

impl Servers {
    pub fn first(&self) -> &Server {
        &self.0[0]
    }

    /// CPU time that all of them have used.
    pub fn cpu_time(&self) -> Result<Duration, BenchError> {
        self.0.iter().map(Server::cpu_time).sum()
    }

    /// Waits until they have done what became due while they rested.
    fn catch_up(&self) -> Result<(), BenchError> {
        let end = Instant::now() + PATIENCE;
        loop {
            let before = self.cpu_time()?;
            thread::sleep(MOMENT);
            let used = self.cpu_time()?.saturating_sub(before);
            if used < MOMENT / 10 || Instant::now() > end {
                return Ok(());
            }
        }
    }

    /// CPU time of each of their threads, by their ids.
    pub fn threads(&self) -> Vec<(u32, Duration)> {
        self.0.iter().flat_map(Server::threads).collect()
    }
}

/// The clients of a server.
pub enum Ends<'f> {
    Ports(&'f mut [Port]),
    Streams(&'f mut Streams),
}

impl<'f> Ends<'f> {
    /// Where the sender at this place is; places beyond the last sender begin anew.
    pub fn here(&self, place: usize) -> Here {
        match self {
            Ends::Ports(ports) => ports[place % (ports.len() / 2)].address.into(),
            Ends::Streams(streams) => streams.here(place),
        }
    }

    pub fn wire(self, servers: &Servers) -> Box<dyn Wire + 'f> {
        let addresses = || servers.0.iter().map(|server| server.address).collect();
        match self {
            Ends::Ports(ports) => Box::new(Datagrams::new(addresses(), ports)),
            Ends::Streams(streams) => Box::new(streams),
        }
    }
}

impl Fleet {
    /// Nothing runs yet. A peer that is not installed is left out, with its rows.
    pub fn new(options: &Options, rows: &mut Vec<&'static Row>) -> Result<Self, BenchError> {
        let is_peer = |row: &Row| matches!(row.server, Kind::Kamailio(_));
        if !options.kamailio.is_file() && rows.iter().any(|row| is_peer(row)) {
            eprintln!("no {}: its rows are left out", options.kamailio.display());
            rows.retain(|row| !is_peer(row));
        }
        let pair = vec![Port::open()?, Port::open()?];
        Ok(Fleet { servers: Vec::new(), pair, spread: Vec::new(), streams: Vec::new(), at_work: None })
    }

    /// Ends what these rows don't need, and starts what they do: servers at rest take memory, which the system looks through every now
    /// and then, on the core of the one that is measured. A server that does not start is told to whoever asks for it.
    pub fn serve(&mut self, options: &Options, rows: &[&Row]) -> Result<(), BenchError> {
        self.turn_of(None)?;
        let is_needed = |kind: Kind| rows.iter().any(|row| row.server == kind);
        self.servers.retain(|(kind, _)| is_needed(*kind));
        self.streams.retain(|(transport, _)| is_needed(Kind::Chappe(Conf::Connected(*transport))));
        // In the order of all rows: the ports are spread over the shards of the server that has two.
        for kind in ROWS.iter().map(|row| row.server).filter(|kind| is_needed(*kind)) {
            if self.servers.iter().all(|(known, _)| *known != kind) {
                let started = self.start_one(options, kind).map_err(|error| error.to_string());
                self.servers.push((kind, started));
            }
        }
        // What has just started is not at rest.
        self.set(None);
        Ok(())
    }

    fn start_one(&mut self, options: &Options, kind: Kind) -> Result<Servers, BenchError> {
        let servers = match kind {
            Kind::Chappe(Conf::TwoServers) => {
                let program = program(options.chappe.as_ref())?;
                let start = |core| Server::chappe(&program, core, setup(options, Conf::TwoServers));
                Servers(vec![start(options.server_core)?, start(options.second_core())?])
            }
            _ => Servers(vec![self.server(options, kind)?]),
        };
        if is_spread(kind) && self.spread.is_empty() {
            self.spread = even::open(servers.first(), SPREAD)?;
        }
        self.register_users(options, kind, &servers)?;
        Ok(servers)
    }

    /// Has the servers of this kind at work, and all others at rest. A transaction ends half a minute after its message
    /// (RFC 3261, Timer J): what one server did would take the core from the one that is measured then.
    pub fn turn_of(&mut self, whose: Option<Kind>) -> Result<(), BenchError> {
        if whose == self.at_work {
            return Ok(());
        }
        self.set(whose);
        match whose {
            Some(kind) => find(&self.servers, kind)?.catch_up(),
            None => Ok(()),
        }
    }

    fn set(&mut self, whose: Option<Kind>) {
        for (kind, servers) in &self.servers {
            let rests = whose != Some(*kind);
            servers.iter().flat_map(|servers| &servers.0).for_each(|server| server.rest(rests));
        }
        self.at_work = whose;
    }

    pub fn get(&self, kind: Kind) -> Result<&Server, BenchError> {
        find(&self.servers, kind).map(Servers::first)
    }

    /// The servers, and their clients.
    pub fn load(&mut self, kind: Kind) -> Result<(&Servers, Ends<'_>), BenchError> {
        let ends = match kind {
            _ if is_spread(kind) => Ends::Ports(&mut self.spread),
            Kind::Chappe(Conf::Connected(transport)) => {
                let found = self.streams.iter_mut().find(|(known, _)| *known == transport);
                let none = || BenchError::NotStarted("there are no connections".to_owned());
                Ends::Streams(found.map(|(_, streams)| streams).ok_or_else(none)?)
            }
            _ => Ends::Ports(&mut self.pair),
        };
        Ok((find(&self.servers, kind)?, ends))
    }

    fn server(&self, options: &Options, kind: Kind) -> Result<Server, BenchError> {
        let core = options.server_core;
        match kind {
            Kind::Floor => Server::floor(core, self.pair[0].address, self.pair[1].address),
            Kind::Kamailio(peer) => Server::kamailio(&options.kamailio, core, peer),
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
    fn register_users(&mut self, options: &Options, kind: Kind, servers: &Servers) -> Result<(), BenchError> {
        let ports = match kind {
            Kind::Floor => return Ok(()),
            Kind::Chappe(Conf::Connected(transport)) => {
                let senders = (0..options.connections).map(sender);
                let receivers = (0..options.connections).map(|user| receiver(options.connections, user));
                let users: Vec<_> = senders.chain(receivers).collect();
                self.streams
                    .push((transport, Streams::open(transport, servers.first().connections, &users)?));
                return Ok(());
            }
            _ if is_spread(kind) => &mut self.spread,
            _ => &mut self.pair,
        };
        register_pairs(options.users, ports, &servers.0)
    }
}

/// So many senders and receivers; each pair at the server that [`Datagrams`] has its messages go to.
pub fn register_pairs(pairs: u32, ports: &mut [Port], servers: &[Server]) -> Result<(), BenchError> {
    let senders = ports.len() / 2;
    for user in 0..pairs {
        let port = user as usize % senders;
        let server = servers[port % servers.len()].address;
        register(&mut ports[port], server, &sender(user))?;
        register(&mut ports[senders + port], server, &receiver(pairs, user))?;
    }
    Ok(())
}

fn is_spread(kind: Kind) -> bool {
    matches!(kind, Kind::Chappe(Conf::TwoCores | Conf::TwoServers))
}

fn find(servers: &[(Kind, Result<Servers, String>)], kind: Kind) -> Result<&Servers, BenchError> {
    let found = servers.iter().find(|(known, _)| *known == kind);
    let (_, server) = found.expect("the servers of all rows were looked after");
    server.as_ref().map_err(|why| BenchError::NotStarted(why.clone()))
}

/// Pairs of users that write to each other.
pub fn pairs(options: &Options, kind: Kind) -> u32 {
    match kind {
        Kind::Chappe(Conf::Connected(_)) => options.connections,
        _ => options.users,
    }
}

fn setup(options: &Options, conf: Conf) -> Setup {
    let plain = Setup { users: 3 * options.users + 1, ..Setup::default() };
    let connected = Setup { users: 2 * options.connections, ..plain };
    match conf {
        Conf::Plain | Conf::TwoServers => plain,
        Conf::Storeless => Setup { sms: KEEPS_NOTHING, ..plain },
        Conf::Keeper => Setup { sms: KEEPS_ALL, ..plain },
        Conf::Digest => Setup { digest: true, ..plain },
        Conf::Extensions(count) => Setup { extensions: Some(count), ..plain },
        Conf::Events => Setup { event_socket: true, ..plain },
        Conf::TwoCores => Setup { shards: 2, ..plain },
        Conf::Connected(transport) => Setup { transport, ..connected },
    }
}

/// The user that sends.
pub fn sender(user: u32) -> String {
    (1000 + user).to_string()
}

/// The one it sends to, of so many pairs.
pub fn receiver(pairs: u32, user: u32) -> String {
    (1000 + pairs + user).to_string()
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
        Some(path) => std::path::absolute(path).map_err(BenchError::system("find the server's program")),
        None => {
            let this = std::env::current_exe().map_err(BenchError::system("find this program"))?;
            Ok(this.with_file_name("chappe"))
        }
    }
}
