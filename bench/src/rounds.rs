//! The order of the measurements.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::cli::{Options, Row};
use crate::error::BenchError;
use crate::folder::{ECHO, LUA, PYTHON, Setup};
use crate::ledger::{Counts, Ledger};
use crate::load::{Load, Pace};
use crate::message::Template;
use crate::register::register;
use crate::server::Server;
use crate::sleeper::{Sender, Sleeper};
use crate::udp::Port;
use crate::{machine, table};

/// The start of a round that is not counted.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long the last messages of a round may take.
const DRAIN: Duration = Duration::from_secs(3);

/// All that the senders manage to send is kept.
const KEEPS_ALL: &[(&str, &str)] = &[("max-waiting-per-user", "1000000"), ("max-waiting", "100000000")];
const KEEPS_NOTHING: &[(&str, &str)] = &[("store", "none")];

/// What one round showed.
pub struct Round {
    /// Messages a second, answered and delivered.
    pub rate: f64,
    /// CPU time of the server a message, in microseconds.
    pub cpu: f64,
    pub counts: Counts,
}

/// A run at half the capacity.
pub struct Half {
    /// Messages a second that were sent.
    pub rate: f64,
    pub ledger: Ledger,
}

/// All that is known of a row.
pub struct Measured {
    pub row: Row,
    pub rounds: Vec<Round>,
    pub half: Half,
}

/// Measures and prints.
pub fn run(options: &Options) -> Result<(), BenchError> {
    machine::check_cores(options.server_core, options.load_core)?;
    machine::pin(options.load_core).map_err(BenchError::system("keep the load on its core"))?;
    let mut bench = Bench::start(options)?;
    let mut rounds: Vec<(Row, Vec<Round>)> = options.rows.iter().map(|&row| (row, Vec::new())).collect();
    for round in 1..=options.rounds {
        for (row, rounds) in &mut rounds {
            let measured = bench.round(*row)?;
            eprintln!("round {round}: {}: {:.0}/s, {:.2} µs", row.title(), measured.rate, measured.cpu);
            rounds.push(measured);
        }
    }
    let mut measured = Vec::new();
    for (row, rounds) in rounds {
        let capacity = table::median(rounds.iter().map(|round| round.rate));
        let half = bench.half(row, capacity / 2.0)?;
        measured.push(Measured { row, rounds, half });
    }
    print!("{}", table::markdown(&measured));
    Ok(())
}

/// Servers, sockets and users.
struct Bench<'o> {
    options: &'o Options,
    ports: [Port; 2],
    floor: Option<Server>,
    chappe: Option<Server>,
    /// One without a store.
    storeless: Option<Server>,
    /// One whose store fills.
    keeper: Option<Server>,
    /// Who sends to the script that sleeps, once registered.
    beside: Option<Sender>,
    /// Counts the runs, so that none takes another's messages for its own.
    run: u32,
}

impl<'o> Bench<'o> {
    fn start(options: &'o Options) -> Result<Self, BenchError> {
        let ports = [Port::open()?, Port::open()?];
        let core = options.server_core;
        let wants = |rows: &[Row]| options.rows.iter().any(|row| rows.contains(row));
        let chappe = |sms| {
            let setup = Setup { users: 3 * options.users + 1, sms, ..Setup::default() };
            Server::chappe(&program(options.chappe.as_ref())?, core, setup)
        };
        let mut bench = Bench {
            options,
            ports,
            floor: None,
            chappe: None,
            storeless: None,
            keeper: None,
            beside: None,
            run: 0,
        };
        if wants(&[Row::Floor]) {
            let [from, to] = &bench.ports;
            bench.floor = Some(Server::floor(core, from.address, to.address)?);
        }
        if wants(&[Row::Relay, Row::Reply, Row::Lua, Row::Python, Row::Sleeper]) {
            bench.chappe = Some(chappe(&[])?);
        }
        if wants(&[Row::Storeless]) {
            bench.storeless = Some(chappe(KEEPS_NOTHING)?);
        }
        if wants(&[Row::Stored]) {
            bench.keeper = Some(chappe(KEEPS_ALL)?);
        }
        bench.register_users()?;
        Ok(bench)
    }

    /// Those who are away stay so.
    fn register_users(&mut self) -> Result<(), BenchError> {
        for server in [&self.chappe, &self.storeless, &self.keeper].into_iter().flatten() {
            for user in 0..self.options.users {
                register(&mut self.ports[0], server.address, &sender(user))?;
                register(&mut self.ports[1], server.address, &receiver(self.options, user))?;
            }
        }
        Ok(())
    }

    /// Capacity: as many messages as the server takes.
    fn round(&mut self, row: Row) -> Result<Round, BenchError> {
        let pace = Pace::Window(u64::from(self.options.window));
        let length = Duration::from_secs(u64::from(self.options.seconds));
        let sleeper = self.sleeper(row)?;
        let (mut load, server) = self.load(row);
        load.drive(pace, WARM_UP)?;
        let (start, cpu, done) = (Instant::now(), server.cpu_time()?, load.ledger.counts.done);
        load.drive(pace, length.saturating_sub(WARM_UP))?;
        let (elapsed, cpu) = (start.elapsed(), server.cpu_time()?.saturating_sub(cpu));
        let done = (load.ledger.counts.done - done) as f64;
        load.drain(DRAIN)?;
        let counts = load.ledger.counts;
        self.wake(sleeper)?;
        Ok(Round { rate: done / elapsed.as_secs_f64(), cpu: cpu.as_secs_f64() * 1e6 / done.max(1.0), counts })
    }

    fn half(&mut self, row: Row, rate: f64) -> Result<Half, BenchError> {
        let length = Duration::from_secs(u64::from(self.options.seconds));
        let sleeper = self.sleeper(row)?;
        let (mut load, _) = self.load(row);
        load.drive(Pace::Rate(rate.max(1.0)), length)?;
        load.drain(DRAIN)?;
        let ledger = load.ledger;
        self.wake(sleeper)?;
        Ok(Half { rate, ledger })
    }

    /// The load beside the row's own, where it has one.
    fn sleeper(&mut self, row: Row) -> Result<Option<Sleeper>, BenchError> {
        let Some(server) = self.chappe.as_ref().filter(|_| row == Row::Sleeper) else { return Ok(None) };
        let sender = match self.beside.take() {
            Some(sender) => sender,
            None => Sender::register(server.address, (1000 + 2 * self.options.users).to_string())?,
        };
        self.run += 1;
        Ok(Some(Sleeper::start(sender, self.run, self.options.size as usize)))
    }

    /// Ends the load beside; a line says what became of it, so that nobody takes a script that did not run for one that
    /// does no harm.
    fn wake(&mut self, sleeper: Option<Sleeper>) -> Result<(), BenchError> {
        let Some(sleeper) = sleeper else { return Ok(()) };
        let (sender, counts) = sleeper.end()?;
        self.beside = Some(sender);
        eprintln!("  the script that sleeps: {} sent, {} answered so far", counts.sent, counts.answered);
        Ok(())
    }

    fn load(&mut self, row: Row) -> (Load<'_>, &Server) {
        self.run += 1;
        let server = match row {
            Row::Floor => self.floor.as_ref(),
            Row::Relay | Row::Reply | Row::Lua | Row::Python | Row::Sleeper => self.chappe.as_ref(),
            Row::Storeless => self.storeless.as_ref(),
            Row::Stored => self.keeper.as_ref(),
        };
        let server = server.expect("the servers of all rows were started");
        let from = self.ports[0].address;
        let size = self.options.size as usize;
        let templates = (0..self.options.users).map(|user| {
            let recipient = match row {
                Row::Floor | Row::Relay | Row::Storeless | Row::Sleeper => receiver(self.options, user),
                Row::Stored => away(self.options, user),
                Row::Reply => ECHO.to_owned(),
                Row::Lua => LUA.to_owned(),
                Row::Python => PYTHON.to_owned(),
            };
            Template::new(self.run, from, &sender(user), &recipient, size)
        });
        let load = Load::new(self.run, server.address, &mut self.ports, templates.collect());
        (if row == Row::Stored { load.of_answers() } else { load }, server)
    }
}

fn sender(user: u32) -> String {
    (1000 + user).to_string()
}

fn receiver(options: &Options, user: u32) -> String {
    (1000 + options.users + user).to_string()
}

/// After the receivers and the one beside.
fn away(options: &Options, user: u32) -> String {
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
