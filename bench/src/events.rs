//! What clients of the event socket cost: events a second to so many of them, and what one that reads nothing changes.
//!
//! One connection feeds the server with `sendevent`, so that nothing but the event socket is measured; the row without
//! subscribers tells what the feeding alone costs. The events look like MESSAGE events of a chat: some thirty headers
//! and a body. The load is a closed loop: the next event goes out when every client has heard all but the last few
//! (`--window`), so none is dropped and the rate is the slowest client's. What one subscriber costs is the difference to
//! the feeding, by the number of subscribers: with few of them it says little, since a server with less to do wakes more
//! often for fewer events.

mod connection;
mod counter;
mod load;
mod table;

use std::fmt;
use std::time::{Duration, Instant};

use crate::cli::EventOptions;
use crate::error::BenchError;
use crate::folder::{MAX_QUEUE_LEN, Setup};
use crate::machine;
use crate::rounds::program;
use crate::server::Server;

pub use self::connection::{Connection, Format};
use self::load::Load;

/// The start of a round that is not counted.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long the last events of a round may take.
const DRAIN: Duration = Duration::from_secs(3);
/// How long filling the queue of a client that reads nothing may take.
const FILL: Duration = Duration::from_secs(60);
/// So many healthy clients stand beside the one that reads nothing.
const BESIDE: u32 = 10;
/// What the server counts for each event beside its octets on the wire: sixteen octets a header, and some for the rest.
const AROUND: u64 = 900;
/// The system's own buffers take some of what a client does not read: events beyond its queue.
const BUFFERED: u64 = 15_000;

/// A row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    pub subscribers: u32,
    pub format: Format,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.subscribers {
            0 => f.write_str("no subscriber: what the feeding costs"),
            1 => write!(f, "1 subscriber, {}", self.format.name()),
            many => write!(f, "{many} subscribers, {}", self.format.name()),
        }
    }
}

/// What one round showed.
pub struct Round {
    /// Events a second, heard by everybody.
    pub rate: f64,
    /// CPU time of the server an event, in microseconds.
    pub cpu: f64,
    /// How much of its core the server used, in percent.
    pub busy: f64,
    /// Events that somebody did not hear.
    pub lost: u64,
}

/// What a client that reads nothing changes.
pub struct Deaf {
    pub format: Format,
    /// Each round without it, and with it.
    pub rounds: Vec<(Round, Round)>,
    /// Octets by which the server's memory grew while its queue filled, the largest of the rounds.
    pub grown: u64,
    /// Octets of its queue, at most.
    pub bound: u64,
    /// Events that were left out for it, as it was told in the end; the fewest of the rounds.
    pub missed: u64,
}

/// Measures and prints.
pub fn run(options: &EventOptions) -> Result<(), BenchError> {
    machine::check_cores(options.server_core, options.load_core)?;
    machine::pin(options.load_core).map_err(BenchError::system("keep the load on its core"))?;
    let bench = Bench::start(options)?;
    let mut measured: Vec<(Row, Vec<Round>)> = rows(options).map(|row| (row, Vec::new())).collect();
    for round in 1..=options.rounds {
        for (row, rounds) in &mut measured {
            let figures = bench.round(&mut bench.load(*row)?)?;
            eprintln!("round {round}: {row}: {:.0}/s, {:.2} µs", figures.rate, figures.cpu);
            rounds.push(figures);
        }
    }
    drop(bench);
    let deaf = [Format::Plain, Format::Json].map(|format| deaf(options, format));
    let deaf = deaf.into_iter().collect::<Result<Vec<_>, _>>()?;
    print!("{}\n{}", table::rates(&measured), table::deaf(&deaf));
    Ok(())
}

fn rows(options: &EventOptions) -> impl Iterator<Item = Row> {
    let some = options.subscribers.iter();
    let some =
        some.flat_map(|&subscribers| [Format::Plain, Format::Json].map(|format| Row { subscribers, format }));
    std::iter::once(Row { subscribers: 0, format: Format::Plain }).chain(some)
}

struct Bench<'o> {
    options: &'o EventOptions,
    server: Server,
}

impl<'o> Bench<'o> {
    fn start(options: &'o EventOptions) -> Result<Self, BenchError> {
        let program = program(options.chappe.as_ref())?;
        let setup = Setup { event_socket: true, ..Setup::default() };
        Ok(Bench { options, server: Server::chappe(&program, options.server_core, setup)? })
    }

    fn load(&self, row: Row) -> Result<Load, BenchError> {
        let feeder = self.connect()?;
        let mut subscribers = Vec::new();
        for _ in 0..row.subscribers {
            let mut subscriber = self.connect()?;
            subscriber.subscribe(row.format)?;
            subscribers.push(subscriber);
        }
        Load::new(feeder, subscribers, u64::from(self.options.window))
    }

    fn connect(&self) -> Result<Connection, BenchError> {
        Connection::open(self.server.events.expect("the server has an event socket"))
    }

    fn round(&self, load: &mut Load) -> Result<Round, BenchError> {
        let length = Duration::from_secs(u64::from(self.options.seconds));
        load.drive(WARM_UP)?;
        let (start, cpu, done) = (Instant::now(), self.server.cpu_time()?, load.done());
        load.drive(length.saturating_sub(WARM_UP))?;
        let (elapsed, cpu) = (start.elapsed(), self.server.cpu_time()?.saturating_sub(cpu));
        let done = (load.done() - done) as f64;
        Ok(Round {
            rate: done / elapsed.as_secs_f64(),
            cpu: cpu.as_secs_f64() * 1e6 / done.max(1.0),
            busy: 100.0 * cpu.as_secs_f64() / elapsed.as_secs_f64(),
            lost: load.drain(DRAIN)?,
        })
    }
}

/// Without the client that reads nothing, then with it once its queue is full; each time on a new server, since one that
/// has room left from before would not grow.
fn deaf(options: &EventOptions, format: Format) -> Result<Deaf, BenchError> {
    let row = Row { subscribers: BESIDE, format };
    let mut deaf = Deaf { format, rounds: Vec::new(), grown: 0, bound: 0, missed: u64::MAX };
    for round in 1..=options.rounds {
        let bench = Bench::start(options)?;
        let mut load = bench.load(row)?;
        let without = bench.round(&mut load)?;
        let before = bench.server.resident()?;
        let mut reads_nothing = bench.connect()?;
        reads_nothing.subscribe(format)?;
        load.fill(MAX_QUEUE_LEN + BUFFERED, FILL)?;
        let with = bench.round(&mut load)?;
        deaf.grown = deaf.grown.max(bench.server.resident()?.saturating_sub(before));
        deaf.bound = MAX_QUEUE_LEN * (load.event_octets() + AROUND);
        deaf.missed = deaf.missed.min(reads_nothing.read_to_the_hole()?);
        eprintln!(
            "round {round}: {row}: {:.0}/s, {:.0}/s beside one that reads nothing",
            without.rate, with.rate
        );
        deaf.rounds.push((without, with));
    }
    Ok(deaf)
}
