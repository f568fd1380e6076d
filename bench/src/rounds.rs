//! The order of the measurements.

use std::time::{Duration, Instant};

use crate::cli::Options;
use crate::error::BenchError;
use crate::fleet::{self, Fleet, away, receiver, sender};
use crate::folder::extension_user;
use crate::ledger::{Counts, Ledger};
use crate::listeners::Listeners;
use crate::load::{Load, Pace};
use crate::message::{Signer, Template};
use crate::register::challenge;
use crate::row::{Beside, Body, Conf, Kind, Recipient, Row};
use crate::server::Server;
use crate::sleeper::{Sender, Sleeper};
use crate::udp::Port;
use crate::{machine, table};

pub use crate::fleet::program;

/// The start of a round that is not counted.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long the last messages of a round may take.
const DRAIN: Duration = Duration::from_secs(3);

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
    pub row: &'static Row,
    pub rounds: Vec<Round>,
    pub half: Half,
}

/// Measures the rows in turns.
pub fn measure(options: &Options) -> Result<Vec<Measured>, BenchError> {
    machine::check_cores(options.server_core, options.load_core)?;
    machine::pin(options.load_core).map_err(BenchError::system("keep the load on its core"))?;
    let mut rows = options.rows();
    let fleet = Fleet::start(options, &mut rows)?;
    let mut bench = Bench { options, fleet, sleeps: None, run: 0 };
    let mut rounds: Vec<(&'static Row, Vec<Round>)> = rows.into_iter().map(|row| (row, Vec::new())).collect();
    for round in 1..=options.rounds {
        for (row, rounds) in &mut rounds {
            let measured = bench.round(row)?;
            eprintln!("round {round}: {}: {:.0}/s, {:.2} µs", row.title, measured.rate, measured.cpu);
            rounds.push(measured);
        }
    }
    let mut measured = Vec::new();
    for (row, rounds) in rounds {
        let capacity = table::median(rounds.iter().map(|round| round.rate));
        let half = bench.half(row, capacity / 2.0)?;
        measured.push(Measured { row, rounds, half });
    }
    Ok(measured)
}

/// Servers, sockets and users.
struct Bench<'o> {
    options: &'o Options,
    fleet: Fleet,
    /// Who sends to the script that sleeps, once registered.
    sleeps: Option<Sender>,
    /// Counts the runs, so that none takes another's messages for its own.
    run: u32,
}

/// What goes on beside a row.
enum Aside {
    Nothing,
    Sleeper(Sleeper),
    Listeners(Listeners),
}

impl Bench<'_> {
    /// Capacity: as many messages as the server takes.
    fn round(&mut self, row: &'static Row) -> Result<Round, BenchError> {
        let pace = Pace::Window(u64::from(self.options.window));
        let length = Duration::from_secs(u64::from(self.options.seconds));
        let aside = self.begin_aside(row)?;
        let (mut load, server) = self.load(row)?;
        load.drive(pace, WARM_UP)?;
        let (start, cpu, done) = (Instant::now(), server.cpu_time()?, load.ledger.counts.done);
        load.drive(pace, length.saturating_sub(WARM_UP))?;
        let (elapsed, cpu) = (start.elapsed(), server.cpu_time()?.saturating_sub(cpu));
        let done = (load.ledger.counts.done - done) as f64;
        load.drain(DRAIN)?;
        let counts = load.ledger.counts;
        self.end_aside(aside)?;
        Ok(Round { rate: done / elapsed.as_secs_f64(), cpu: cpu.as_secs_f64() * 1e6 / done.max(1.0), counts })
    }

    fn half(&mut self, row: &'static Row, rate: f64) -> Result<Half, BenchError> {
        let length = Duration::from_secs(u64::from(self.options.seconds));
        let aside = self.begin_aside(row)?;
        let (mut load, _) = self.load(row)?;
        load.drive(Pace::Rate(rate.max(1.0)), length)?;
        load.drain(DRAIN)?;
        let ledger = load.ledger;
        self.end_aside(aside)?;
        Ok(Half { rate, ledger })
    }

    fn begin_aside(&mut self, row: &Row) -> Result<Aside, BenchError> {
        let server = self.fleet.get(row.server);
        Ok(match row.beside {
            Beside::Nothing => Aside::Nothing,
            Beside::Listeners(count) => {
                let address = server.events.expect("the server of such a row has an event socket");
                Aside::Listeners(Listeners::start(address, count)?)
            }
            Beside::Sleeper => {
                let sender = match self.sleeps.take() {
                    Some(sender) => sender,
                    None => Sender::register(server.address, fleet::beside(self.options))?,
                };
                self.run += 1;
                Aside::Sleeper(Sleeper::start(sender, self.run, self.options.size as usize))
            }
        })
    }

    /// Ends the load beside; a line says what became of it, so that nobody takes a script that did not run for one that
    /// does no harm.
    fn end_aside(&mut self, aside: Aside) -> Result<(), BenchError> {
        match aside {
            Aside::Nothing => {}
            Aside::Listeners(listeners) => eprintln!("  the clients have heard {} events", listeners.end()?),
            Aside::Sleeper(sleeper) => {
                let (sender, counts) = sleeper.end()?;
                self.sleeps = Some(sender);
                eprintln!(
                    "  the script that sleeps: {} sent, {} answered so far",
                    counts.sent, counts.answered
                );
            }
        }
        Ok(())
    }

    fn load(&mut self, row: &Row) -> Result<(Load<'_>, &Server), BenchError> {
        self.run += 1;
        let (options, run) = (self.options, self.run);
        let (server, ports) = self.fleet.load(row.server);
        let mut templates = Vec::new();
        for user in 0..options.users {
            templates.push(template(options, row, run, user, server, ports)?);
        }
        let load = Load::new(run, server.address, ports, templates);
        Ok((if row.to == Recipient::Away { load.of_answers() } else { load }, server))
    }
}

/// What this user sends.
fn template(
    options: &Options,
    row: &Row,
    run: u32,
    user: u32,
    server: &Server,
    ports: &mut [Port],
) -> Result<Template, BenchError> {
    let senders = ports.len() / 2;
    let port = &mut ports[user as usize % senders];
    let sender = sender(user);
    let recipient = match row.to {
        Recipient::Registered => receiver(options, user),
        Recipient::Away => away(options, user),
        Recipient::Named(name) => name.to_owned(),
        Recipient::OfExtension(number) => extension_user(number),
    };
    let template = || match row.body {
        Body::Whole => Template::new(run, port.address, &sender, &recipient, options.size as usize),
        Body::Octets(octets) => Template::with_body(run, port.address, &sender, &recipient, octets),
    };
    if row.server != Kind::Chappe(Conf::Digest) {
        return Ok(template());
    }
    let signed = template();
    let mut unsigned = Vec::new();
    // A number that no message of the run has.
    template().write(9_999_999_999, 0, &mut unsigned);
    let challenge = challenge(port, server.address, &sender, &unsigned)?;
    Ok(signed.signed(Signer::new(&sender, challenge)))
}
