//! The command line.

use std::net::SocketAddrV4;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::machine;
use crate::row::{self, ROWS, Row};
use crate::sweep::SweepOptions;

/// Measures MESSAGEs a second and CPU time a message, beside a relay that only moves packets.
#[derive(clap::Parser, Debug)]
#[command(name = "chappe-bench", version, args_conflicts_with_subcommands = true)]
pub struct Options {
    /// The server to measure [default: `chappe` beside this program]
    #[arg(long, value_name = "PATH")]
    pub chappe: Option<PathBuf>,

    /// Kamailio's program
    #[arg(long, value_name = "PATH", default_value = "/usr/sbin/kamailio")]
    pub kamailio: PathBuf,

    /// Rows to measure [default: all]
    #[arg(long, value_delimiter = ',', value_parser = row_name())]
    pub rows: Vec<&'static Row>,

    /// A folder to write the table and the plots to; then the registrar and the overload are measured as well
    #[arg(long, value_name = "PATH")]
    pub results: Option<PathBuf>,

    /// Rounds of each row
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,

    /// Seconds of a row in a round; at half load two thirds of what is counted
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: u32,

    /// Messages on their way at once while capacity is measured
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub window: u32,

    /// Users that send, and as many that receive: several times the window, as a device is sent one message at a time
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub users: u32,

    /// Users that send over a connection each, and as many that receive, in the rows of connections
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=400))]
    pub connections: u32,

    /// Bytes of a MESSAGE, at least
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(400..=60_000))]
    pub size: u32,

    /// Idle connections of the results
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=200_000))]
    pub idle: u32,

    /// Seconds at capacity before the overload of the results: more than a finished transaction is kept for
    #[arg(long, default_value_t = 35, value_parser = clap::value_parser!(u32).range(0..=600))]
    pub settle: u32,

    /// Users of the registrar of the results
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1000..=10_000_000))]
    pub bindings: u32,

    /// Core of the server
    #[arg(long, default_value_t = 0)]
    pub server_core: usize,

    /// Core of the load generator
    #[arg(long, default_value_t = 1)]
    pub load_core: usize,

    /// The second core of the server with two [default: one that is neither's, else that of the load]
    #[arg(long)]
    pub spare_core: Option<usize>,

    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Options {
    /// The rows that are named, else all.
    pub fn rows(&self) -> Vec<&'static Row> {
        if self.rows.is_empty() { ROWS.iter().collect() } else { self.rows.clone() }
    }

    pub fn second_core(&self) -> usize {
        let others = (0..machine::cores()).find(|core| ![self.server_core, self.load_core].contains(core));
        self.spare_core.or(others).unwrap_or(self.load_core)
    }
}

fn row_name() -> impl TypedValueParser<Value = &'static Row> {
    let names = ROWS.iter().map(|row| PossibleValue::new(row.name).help(row.title));
    PossibleValuesParser::new(names).map(|name| row::named(&name).expect("the names are those of the rows"))
}

/// Another part to measure, and what the program starts of itself.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Measure events a second to clients of the event socket
    Events(EventOptions),
    /// Measure a registrar with very many users
    Registrar(RegistrarOptions),
    /// Measure the memory of TLS connections that nothing happens on
    Idle(IdleOptions),
    /// Measure messages a second that are kept on the disk, and the start with many of them
    Store(StoreOptions),
    /// Measure what becomes of more messages than the server can take, beside Kamailio
    Overload(SweepOptions),
    /// The relay that only moves packets; prints the port it listens on
    #[command(hide = true)]
    Floor {
        /// Who gets what the receiver sends
        sender: SocketAddrV4,
        /// Who gets what anybody else sends
        receiver: SocketAddrV4,
    },
    /// The client ends of idle connections; does what its input says
    #[command(hide = true)]
    Hold {
        /// Where they go
        server: SocketAddrV4,
        /// Who has signed its certificate
        authority: PathBuf,
        /// A user registers over each
        #[arg(long)]
        register: bool,
    },
}

/// What is measured of the event socket.
#[derive(clap::Args, Debug)]
pub struct EventOptions {
    /// The server to measure [default: `chappe` beside this program]
    #[arg(long, value_name = "PATH")]
    pub chappe: Option<PathBuf>,

    /// How many clients hear the events, a row each
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 100], value_parser = clap::value_parser!(u32).range(1..=900))]
    pub subscribers: Vec<u32>,

    /// Rounds of each row
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,

    /// Seconds a round
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: u32,

    /// Events that not every client has heard yet, at most
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub window: u32,

    /// Core of the server
    #[arg(long, default_value_t = 0)]
    pub server_core: usize,

    /// Core of the load generator
    #[arg(long, default_value_t = 1)]
    pub load_core: usize,
}

/// What is measured of a registrar.
#[derive(clap::Args, Debug)]
pub struct RegistrarOptions {
    /// The server to measure [default: `chappe` beside this program]
    #[arg(long, value_name = "PATH")]
    pub chappe: Option<PathBuf>,

    /// Users that register, each with one binding
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1000..=10_000_000))]
    pub bindings: u32,

    /// Users with passwords, who do so by digest; 0: leave that out
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub known: u32,

    /// Rounds of messages
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,

    /// Seconds a round
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: u32,

    /// Requests that wait for an answer at once
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub window: u32,

    /// Core of the server
    #[arg(long, default_value_t = 0)]
    pub server_core: usize,

    /// Core of the load generator
    #[arg(long, default_value_t = 1)]
    pub load_core: usize,
}

impl RegistrarOptions {
    /// Those that are measured beside the rows.
    pub fn beside(options: &Options) -> Self {
        Self {
            chappe: options.chappe.clone(),
            bindings: options.bindings,
            known: 20_000,
            rounds: options.rounds,
            seconds: options.seconds,
            window: options.window,
            server_core: options.server_core,
            load_core: options.load_core,
        }
    }
}

/// What is measured of idle connections.
#[derive(clap::Args, Clone, Debug)]
pub struct IdleOptions {
    /// The server to measure [default: `chappe` beside this program]
    #[arg(long, value_name = "PATH")]
    pub chappe: Option<PathBuf>,

    /// Connections, over as many servers as the limit of open files asks for
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=200_000))]
    pub connections: u32,

    /// Core of the server
    #[arg(long, default_value_t = 0)]
    pub server_core: usize,

    /// Core of the load generator
    #[arg(long, default_value_t = 1)]
    pub load_core: usize,
}

impl IdleOptions {
    /// Those that are measured beside the rows.
    pub fn beside(options: &Options) -> Self {
        Self {
            chappe: options.chappe.clone(),
            connections: options.idle,
            server_core: options.server_core,
            load_core: options.load_core,
        }
    }
}

/// What is measured of the store.
#[derive(clap::Args, Clone, Debug)]
pub struct StoreOptions {
    /// A folder on the disk to measure [default: the system's for temporary files]
    #[arg(long, value_name = "PATH")]
    pub folder: Option<PathBuf>,

    /// Rounds, of which the medians are told
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,

    /// Messages a round
    #[arg(long, default_value_t = 60_000, value_parser = clap::value_parser!(u32).range(1000..=10_000_000))]
    pub messages: u32,

    /// Messages on their way at once
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1..=16_000))]
    pub producers: u32,

    /// Messages that wait when the store starts; 0: leave that out
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub waiting: u32,

    /// What `cargo xtask bench` hands to every part; the store needs no server
    #[arg(long, value_name = "PATH", hide = true)]
    pub chappe: Option<PathBuf>,
}
