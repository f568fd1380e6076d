//! More messages than the server can take: what it does with them, and how soon it is itself again.
//!
//! First the server gets its finished transactions of half a minute. Then the capacity is measured, in closed loop, and parts and
//! multiples of it are offered in open loop, a few seconds each, with the retransmissions of RFC 3261 and a 503 as the end of it. That is
//! done several times, for what the machine can do changes, and the medians count. At last the load falls from the most to a half of the
//! capacity. A relay costs so little that it is given a part of its core only, so that one core of load is five times as much
//! as it can do. The same for messages that a script answers, by a server that has all of its core; and for Kamailio, where it is
//! installed.

mod book;
mod generator;
mod plots;
mod recovery;
mod round;
mod table;
mod trains;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::cgroup::Group;
use crate::cli::Options;
use crate::error::BenchError;
use crate::folder::{LUA, Setup};
use crate::machine;
use crate::message::Template;
use crate::register::register;
use crate::rounds::program;
use crate::row::Peer;
use crate::server::Server;
use crate::udp::Port;
use generator::{Generator, Pace};
pub use recovery::Recovery;
use round::Round;

/// The start of a measurement of the capacity that is not counted.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long the capacity is measured.
const CAPACITY: Duration = Duration::from_secs(2);
/// How long a step's last messages may take.
const DRAIN: Duration = Duration::from_secs(1);
/// The part of its core that a relay has: so little that one core of load can send five times as much as it can do, and all that
/// is sent again.
const PART: f64 = 0.25;
/// What such a server is called.
const LIMITED: &str = "chappe, with a quarter of its core";
/// The last step of the sweep before the load falls, and what it falls to.
const FALL: (f64, f64) = (5.0, 0.5);

/// What is measured of a server with too much to do.
#[derive(clap::Args, Clone, Debug)]
pub struct SweepOptions {
    /// The server to measure [default: `chappe` beside this program]
    #[arg(long, value_name = "PATH")]
    pub chappe: Option<PathBuf>,

    /// Kamailio's program
    #[arg(long, value_name = "PATH", default_value = "/usr/sbin/kamailio")]
    pub kamailio: PathBuf,

    /// Leave Kamailio out
    #[arg(long)]
    pub alone: bool,

    /// What is offered, as multiples of the capacity
    #[arg(long, value_delimiter = ',', default_values_t = [0.25, 0.5, 0.75, 0.9, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0])]
    pub loads: Vec<f64>,

    /// Times the capacity and all steps are measured, one after the other; medians are reported
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,

    /// Seconds a step
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: u32,

    /// Seconds at capacity before it is measured: more than a finished transaction is kept for (RFC 3261, Timer J: 32 s)
    #[arg(long, default_value_t = 35, value_parser = clap::value_parser!(u32).range(0..=600))]
    pub settle: u32,

    /// Messages on their way at once while the capacity is measured
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub window: u32,

    /// Users that send, and as many that receive
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub users: u32,

    /// Bytes of a MESSAGE, at least
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(400..=60_000))]
    pub size: u32,

    /// A folder for the plots
    #[arg(long, value_name = "PATH")]
    pub plots: Option<PathBuf>,

    /// Core of the server
    #[arg(long, default_value_t = 0)]
    pub server_core: usize,

    /// Core of the load generator
    #[arg(long, default_value_t = 1)]
    pub load_core: usize,
}

impl SweepOptions {
    /// Those that are measured beside the rows.
    pub fn beside(options: &Options) -> Self {
        Self {
            chappe: options.chappe.clone(),
            kamailio: options.kamailio.clone(),
            alone: false,
            loads: vec![0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0],
            // Each takes as long as a round of all rows.
            rounds: options.rounds.min(3),
            // Longer than a round: what waits has to settle.
            seconds: options.seconds + 1,
            settle: options.settle,
            window: options.window,
            users: options.users,
            size: options.size,
            plots: None,
            server_core: options.server_core,
            load_core: options.load_core,
        }
    }
}

/// What becomes of those whose messages were too many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fall {
    /// They are gone, and with them what they would have sent again.
    Leave,
    /// They send no more new messages, and again what is not answered.
    Stay,
}

impl Fall {
    pub fn words(self) -> &'static str {
        match self {
            Self::Leave => "once those who send too much are gone",
            Self::Stay => "once they send nothing new, but again what was not answered",
        }
    }
}

/// All that was measured.
pub struct Sweep {
    pub servers: Vec<Swept>,
}

/// What one server did.
pub struct Swept {
    pub name: &'static str,
    /// Messages a second, answered and delivered, in closed loop, and microseconds of the server's CPU for each.
    pub capacity: f64,
    pub cost: f64,
    pub steps: Vec<Step>,
    /// After each fall; empty: it was not measured.
    pub recoveries: Vec<(Fall, Recovery)>,
    /// Octets of memory before the first message.
    pub memory: u64,
}

/// One load.
pub struct Step {
    /// Of the capacity.
    pub times: f64,
    /// What is delivered, of the capacity just before.
    pub part: f64,
    /// Messages a second that were sent for the first time.
    pub offered: f64,
    /// Retransmissions a second.
    pub again: f64,
    /// Messages a second, answered 2xx and delivered.
    pub goodput: f64,
    /// 503s a second.
    pub refused: f64,
    /// From when a message was first sent to its 2xx, of those that were accepted while the load lasted, milliseconds.
    pub p50: f64,
    pub p99: f64,
    /// Of the server's core.
    pub cpu: f64,
    /// Octets of memory at the end; of several steps the most.
    pub memory: u64,
    /// The part of the messages that the generator sent too late.
    pub late: f64,
}

/// Measures, prints and writes the plots.
pub fn run(options: &SweepOptions) -> Result<(), BenchError> {
    let sweep = measure(options)?;
    print!("{}", sweep.markdown());
    for (name, svg) in sweep.svgs() {
        if let Some(folder) = &options.plots {
            std::fs::write(folder.join(name), svg).map_err(BenchError::system("write a plot"))?;
        }
    }
    Ok(())
}

/// Measures the one server and then the other.
pub fn measure(options: &SweepOptions) -> Result<Sweep, BenchError> {
    machine::check_cores(options.server_core, options.load_core)?;
    machine::pin(options.load_core).map_err(BenchError::system("keep the load on its core"))?;
    let setup = Setup { users: 2 * options.users, ..Setup::default() };
    let program = program(options.chappe.as_ref())?;
    let mut servers = Vec::new();
    {
        // Outlives the server.
        let part = part();
        let chappe = Server::chappe(&program, options.server_core, setup)?;
        part.iter().try_for_each(|group| chappe.limit(group))?;
        let name = if part.is_some() { LIMITED } else { "chappe" };
        servers.push(sweep(name, &chappe, None, options)?);
    }
    let chappe = Server::chappe(&program, options.server_core, setup)?;
    servers.push(sweep("chappe, replies by Lua", &chappe, Some(LUA), options)?);
    drop(chappe);
    if options.alone {
        return Ok(Sweep { servers });
    }
    if options.kamailio.is_file() {
        let kamailio = Server::kamailio(&options.kamailio, options.server_core, Peer::Relay)?;
        servers.push(sweep("Kamailio", &kamailio, None, options)?);
    } else {
        eprintln!("no {}: the peer is left out", options.kamailio.display());
    }
    Ok(Sweep { servers })
}

/// The group of a server that is to have a part of its core; `None`: this machine lets nobody make one, and the load may not be
/// able to send as much as it should.
fn part() -> Option<Group> {
    Group::new("sweep", PART)
        .inspect_err(|error| eprintln!("the relay has its whole core, control groups can't be made: {error}"))
        .ok()
}

/// `to`: whom all messages are for; `None`: each sender has a recipient of its own.
fn sweep(
    name: &'static str,
    server: &Server,
    to: Option<&'static str>,
    options: &SweepOptions,
) -> Result<Swept, BenchError> {
    let mut bench = Bench { name, server, to, options, ports: [Port::open()?, Port::open()?], run: 0 };
    bench.register_users()?;
    let memory = server.memory()?;
    bench.settle()?;
    let rounds: Result<Vec<_>, _> = (0..options.rounds).map(|_| bench.round()).collect();
    let (capacity, cost, steps) = Round::median(rounds?);
    let mut recoveries = Vec::new();
    if options.loads.iter().any(|times| *times >= FALL.0) {
        for fall in [Fall::Leave, Fall::Stay] {
            recoveries.push((fall, bench.fall(capacity, fall)?));
        }
    }
    Ok(Swept { name, capacity, cost, steps, recoveries, memory })
}

struct Bench<'o> {
    name: &'static str,
    server: &'o Server,
    to: Option<&'static str>,
    options: &'o SweepOptions,
    ports: [Port; 2],
    /// Counts the runs, so that none takes another's messages for its own.
    run: u32,
}

impl Bench<'_> {
    fn register_users(&mut self) -> Result<(), BenchError> {
        for user in 0..self.options.users {
            let [sender, receiver] = self.users(user);
            register(&mut self.ports[0], self.server.address, &sender)?;
            register(&mut self.ports[1], self.server.address, &receiver)?;
        }
        Ok(())
    }

    fn users(&self, user: u32) -> [String; 2] {
        [1000 + user, 1000 + self.options.users + user].map(|user| user.to_string())
    }

    fn generator(&mut self) -> Generator<'_> {
        self.run += 1;
        let to = self.to;
        let (from, size) = (self.ports[0].address, self.options.size as usize);
        let templates = (0..self.options.users).map(|user| {
            let [sender, receiver] = self.users(user);
            Template::new(self.run, from, &sender, to.unwrap_or(&receiver), size)
        });
        let templates = templates.collect();
        Generator::new(self.run, self.server.address, &mut self.ports, templates)
    }

    /// Works at capacity until the server's tables are as full as they get.
    fn settle(&mut self) -> Result<(), BenchError> {
        let length = Duration::from_secs(self.options.settle.into());
        let window = self.window();
        self.generator().drive(window, length)
    }

    fn window(&self) -> Pace {
        Pace::Window(u64::from(self.options.window))
    }

    fn round(&mut self) -> Result<Round, BenchError> {
        let (capacity, cost) = self.capacity()?;
        let loads = &self.options.loads;
        let steps: Result<Vec<_>, _> = loads.iter().map(|times| self.step(*times, capacity)).collect();
        Ok(Round { capacity, cost, steps: steps? })
    }

    /// Messages a second and microseconds a message.
    fn capacity(&mut self) -> Result<(f64, f64), BenchError> {
        let (window, server) = (self.window(), self.server);
        let mut generator = self.generator();
        generator.drive(window, WARM_UP)?;
        let (start, cpu) = (generator.elapsed(), server.cpu_time()?);
        generator.drive(window, CAPACITY)?;
        let (end, cpu) = (generator.elapsed(), server.cpu_time()?.saturating_sub(cpu));
        let done = generator.book.stretch(start, end).done as f64;
        generator.drive(Pace::Window(0), DRAIN / 4)?;
        let capacity = done / (end - start).as_secs_f64();
        let cost = cpu.as_secs_f64() * 1e6 / done.max(1.0);
        eprintln!("{}: capacity {capacity:.0}/s, {cost:.2} µs", self.name);
        Ok((capacity, cost))
    }

    fn step(&mut self, times: f64, capacity: f64) -> Result<Step, BenchError> {
        let length = Duration::from_secs(u64::from(self.options.seconds));
        let server = self.server;
        let mut generator = self.generator();
        let (begun, cpu) = (Instant::now(), server.cpu_time()?);
        generator.drive(Pace::Rate(times * capacity), length)?;
        let (elapsed, cpu) = (begun.elapsed(), server.cpu_time()?.saturating_sub(cpu));
        let (memory, again) = (server.memory()?, generator.book.retransmitted);
        let end = generator.elapsed();
        // What was dropped is sent again, and gets in once the load is over: that is no part of the step.
        let stretch = generator.book.stretch(Duration::ZERO, end);
        generator.drive(Pace::Window(0), DRAIN)?;
        let a_second = |count: u64| count as f64 / elapsed.as_secs_f64();
        let goodput = a_second(stretch.done);
        let step = Step {
            times,
            part: goodput / capacity,
            offered: a_second(generator.book.len() as u64),
            again: a_second(again),
            goodput,
            refused: a_second(stretch.refused),
            p50: stretch.p50,
            p99: stretch.p99,
            cpu: cpu.as_secs_f64() / elapsed.as_secs_f64(),
            memory,
            late: generator.late as f64 / generator.book.len().max(1) as f64,
        };
        eprintln!("{}: {}", self.name, step.line());
        Ok(step)
    }

    /// The load falls from far too much to what is little.
    fn fall(&mut self, capacity: f64, kind: Fall) -> Result<Recovery, BenchError> {
        let mut generator = self.generator();
        generator.drive(Pace::Rate(FALL.0 * capacity), recovery::BEFORE)?;
        let fall = generator.elapsed();
        if kind == Fall::Leave {
            generator.book.give_up();
        }
        generator.drive(Pace::Rate(FALL.1 * capacity), recovery::AFTER)?;
        let end = generator.elapsed();
        generator.drive(Pace::Window(0), DRAIN)?;
        let recovery = Recovery::of(&generator.book, fall, end);
        eprintln!("{}: {}, {}", self.name, kind.words(), recovery.line());
        Ok(recovery)
    }
}

impl Sweep {
    /// The figures as Markdown.
    pub fn markdown(&self) -> String {
        table::markdown(self)
    }
}
