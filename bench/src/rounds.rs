//! The order of the measurements.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::cli::Options;
use crate::error::BenchError;
use crate::fleet::{self, Ends, Fleet, away, receiver, sender};
use crate::folder::extension_user;
use crate::ledger::{Counts, Ledger};
use crate::listeners::Listeners;
use crate::load::{Load, Pace};
use crate::message::{Signer, Template};
use crate::register::challenge;
use crate::row::{Beside, Body, Conf, Kind, Recipient, Row};
use crate::server::Server;
use crate::sleeper::{Sender, Sleeper};
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
    /// How much of a core the server used, and how much the load: 1.0 is all of one.
    pub cores: (f64, f64),
    /// The part of the server's CPU time that its busiest thread used; 0.0: not known.
    pub busiest: f64,
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
    /// Or why there are no figures.
    pub half: Result<Half, String>,
}

/// Measures the rows in turns. A row that fails is left alone from then on; the others have their figures.
pub fn measure(options: &Options) -> Result<Vec<Measured>, BenchError> {
    machine::check_cores(options.server_core, options.load_core)?;
    machine::pin(options.load_core).map_err(BenchError::system("keep the load on its core"))?;
    let mut rows = options.rows();
    let fleet = Fleet::start(options, &mut rows)?;
    let mut bench = Bench { options, fleet, sleeps: None, run: 0 };
    let mut measured: Vec<Measured> = rows.into_iter().map(unmeasured).collect();
    for round in 1..=options.rounds {
        for one in &mut measured {
            bench.one_round(one, round);
        }
    }
    for one in &mut measured {
        bench.one_half(one);
    }
    Ok(measured)
}

fn unmeasured(row: &'static Row) -> Measured {
    Measured { row, rounds: Vec::new(), half: Ok(Half { rate: 0.0, ledger: Ledger::new() }) }
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
    fn one_round(&mut self, one: &mut Measured, round: u32) {
        let title = one.row.title;
        if one.half.is_err() {
            return;
        }
        match self.round(one.row) {
            Ok(figures) => {
                eprintln!(
                    "round {round}: {title}: {:.0}/s, {:.2} µs, cores {:.2} / {:.2}",
                    figures.rate, figures.cpu, figures.cores.0, figures.cores.1
                );
                one.rounds.push(figures);
            }
            Err(error) => {
                eprintln!("round {round}: {title}: FAILED: {error}");
                one.half = Err(error.to_string());
            }
        }
    }

    fn one_half(&mut self, one: &mut Measured) {
        if one.half.is_err() {
            return;
        }
        let capacity = table::median(one.rounds.iter().map(|round| round.rate));
        one.half = self.half(one.row, capacity / 2.0).map_err(|error| {
            eprintln!("half load: {}: FAILED: {error}", one.row.title);
            error.to_string()
        });
    }

    /// Capacity: as many messages as the server takes.
    fn round(&mut self, row: &'static Row) -> Result<Round, BenchError> {
        let pace = Pace::Window(u64::from(self.options.window));
        let length = Duration::from_secs(u64::from(self.options.seconds));
        let aside = self.begin_aside(row)?;
        let (mut load, server) = self.load(row)?;
        load.drive(pace, WARM_UP)?;
        let (start, cpu, own) = (Instant::now(), server.cpu_time()?, machine::own_cpu_time()?);
        let (threads, done) = (server.threads(), load.ledger.counts.done);
        load.drive(pace, length.saturating_sub(WARM_UP))?;
        let (elapsed, cpu) = (start.elapsed(), server.cpu_time()?.saturating_sub(cpu));
        let own = machine::own_cpu_time()?.saturating_sub(own);
        let busiest = busiest(threads, server.threads());
        let done = (load.ledger.counts.done - done) as f64;
        load.drain(DRAIN)?;
        let counts = load.end().counts;
        self.end_aside(aside)?;
        Ok(Round {
            rate: done / elapsed.as_secs_f64(),
            cpu: cpu.as_secs_f64() * 1e6 / done.max(1.0),
            cores: (cpu.div_duration_f64(elapsed), own.div_duration_f64(elapsed)),
            busiest,
            counts,
        })
    }

    fn half(&mut self, row: &'static Row, rate: f64) -> Result<Half, BenchError> {
        let length = Duration::from_secs(u64::from(self.options.seconds));
        let aside = self.begin_aside(row)?;
        let (mut load, _) = self.load(row)?;
        load.drive(Pace::Rate(rate.max(1.0)), length)?;
        load.drain(DRAIN)?;
        let ledger = load.end();
        self.end_aside(aside)?;
        Ok(Half { rate, ledger })
    }

    fn begin_aside(&mut self, row: &Row) -> Result<Aside, BenchError> {
        let server = self.fleet.get(row.server)?;
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
        let (server, mut ends) = self.fleet.load(row.server)?;
        let mut templates = Vec::new();
        for user in 0..fleet::pairs(options, row.server) {
            templates.push(template(options, row, run, user, server, &mut ends)?);
        }
        let load = Load::new(run, ends.wire(server), templates);
        Ok((if row.to == Recipient::Away { load.of_answers() } else { load }, server))
    }
}

/// The part of the time between that the busiest thread used.
fn busiest(before: Vec<(u32, Duration)>, after: Vec<(u32, Duration)>) -> f64 {
    let before: HashMap<_, _> = before.into_iter().collect();
    let used = after.iter().map(|(thread, time)| {
        time.saturating_sub(before.get(thread).copied().unwrap_or_default()).as_secs_f64()
    });
    let used: Vec<f64> = used.collect();
    used.iter().copied().fold(0.0, f64::max) / used.iter().sum::<f64>().max(f64::MIN_POSITIVE)
}

/// What this user sends.
fn template(
    options: &Options,
    row: &Row,
    run: u32,
    user: u32,
    server: &Server,
    ends: &mut Ends<'_>,
) -> Result<Template, BenchError> {
    let here = ends.here(user as usize);
    let sender = sender(user);
    let recipient = match row.to {
        Recipient::Registered => receiver(fleet::pairs(options, row.server), user),
        Recipient::Away => away(options, user),
        Recipient::Named(name) => name.to_owned(),
        Recipient::OfExtension(number) => extension_user(number),
    };
    let template = || match row.body {
        Body::Whole => Template::new(run, here, &sender, &recipient, options.size as usize),
        Body::Octets(octets) => Template::with_body(run, here, &sender, &recipient, octets),
    };
    let port = match ends {
        Ends::Ports(ports) if row.server == Kind::Chappe(Conf::Digest) => {
            let senders = ports.len() / 2;
            &mut ports[user as usize % senders]
        }
        _ => return Ok(template()),
    };
    let signed = template();
    let mut unsigned = Vec::new();
    // A number that no message of the run has.
    template().write(9_999_999_999, 0, &mut unsigned);
    let challenge = challenge(port, server.address, &sender, &unsigned)?;
    Ok(signed.signed(Signer::new(&sender, challenge)))
}
