//! The command line.

use std::net::SocketAddrV4;
use std::path::PathBuf;

use crate::sweep::SweepOptions;

/// Measures MESSAGEs a second and CPU time a message, beside a relay that only moves packets.
#[derive(clap::Parser, Debug)]
#[command(name = "chappe-bench", version, args_conflicts_with_subcommands = true)]
pub struct Options {
    /// The server to measure [default: `chappe` beside this program]
    #[arg(long, value_name = "PATH")]
    pub chappe: Option<PathBuf>,

    /// Rows to measure
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Row::Floor, Row::Relay, Row::Storeless, Row::Stored, Row::Reply, Row::Lua, Row::Python, Row::Sleeper])]
    pub rows: Vec<Row>,

    /// Rounds of each row
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,

    /// Seconds a round
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: u32,

    /// Messages on their way at once while capacity is measured
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub window: u32,

    /// Users that send, and as many that receive
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub users: u32,

    /// Bytes of a MESSAGE, at least
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(400..=1300))]
    pub size: u32,

    /// Core of the server
    #[arg(long, default_value_t = 0)]
    pub server_core: usize,

    /// Core of the load generator
    #[arg(long, default_value_t = 1)]
    pub load_core: usize,

    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Another part to measure, and what the program starts of itself.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Measure events a second to clients of the event socket
    Events(EventOptions),
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

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Row {
    /// The relay that only moves packets
    Floor,
    /// From user to user, point to point
    Relay,
    /// The same with `store` = none
    Storeless,
    /// From user to user, none of whom is there: answered 202 once the message is on the disk
    Stored,
    /// The chatplan's `reply`
    Reply,
    /// A Lua script that replies
    Lua,
    /// A Python script that replies, in four workers
    Python,
    /// From user to user, while other users' messages go to a Python script that sleeps 1 s in every tenth of them
    Sleeper,
}

impl Row {
    /// What the table calls it.
    pub fn title(self) -> &'static str {
        match self {
            Row::Floor => "floor: moves packets, parses nothing",
            Row::Relay => "chappe, point to point",
            Row::Storeless => "chappe, point to point, without a store",
            Row::Stored => "chappe, to users who are away: 202 once it is on the disk",
            Row::Reply => "chappe, `reply` from the chatplan",
            Row::Lua => "chappe, `reply` from a Lua script",
            Row::Python => "chappe, `reply` from a Python script, workers included",
            Row::Sleeper => {
                "chappe, point to point, beside a Python script that sleeps 1 s in every tenth message"
            }
        }
    }
}
