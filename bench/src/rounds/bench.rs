//! One run of a row.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::aside::Aside;
use super::{Capacity, Half};
use crate::cli::Options;
use crate::error::BenchError;
use crate::fleet::{self, Ends, Fleet, Servers, away, receiver, sender};
use crate::folder::extension_user;
use crate::load::{Load, Pace};
use crate::machine;
use crate::message::{Signer, Template};
use crate::patience::Patience;
use crate::register::challenge;
use crate::row::{Body, Conf, Kind, Recipient, Row};
use crate::server::Server;
use crate::sleeper::Sender;

/// The start of a run that is not counted.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long the last messages of a run may take.
const DRAIN: Duration = Duration::from_secs(3);

/// Servers, sockets and users.
pub struct Bench<'o> {
    pub options: &'o Options,
    pub fleet: Fleet,
    /// Who sends to the script that sleeps, once registered.
    pub sleeps: Option<Sender>,
    /// Counts the runs, so that none takes another's messages for its own.
    pub run: u32,
}

impl<'o> Bench<'o> {
    pub fn new(options: &'o Options, fleet: Fleet) -> Self {
        Self { options, fleet, sleeps: None, run: 0 }
    }

    /// As many messages as the server takes.
    pub fn capacity(&mut self, row: &'static Row, round: u32) -> Result<Capacity, BenchError> {
        let pace = Pace::Window(u64::from(self.options.window));
        let length = self.length();
        self.fleet.turn_of(Some(row.server))?;
        let aside = Aside::begin(self, row)?;
        let (mut load, server) = self.load(row)?;
        load.drive(pace, WARM_UP)?;
        let (start, cpu, own) = (Instant::now(), server.cpu_time()?, machine::own_cpu_time()?);
        let (threads, done, idle) = (server.threads(), load.ledger.counts.done, load.idle());
        load.drive(pace, length)?;
        let (elapsed, cpu) = (start.elapsed(), server.cpu_time()?.saturating_sub(cpu));
        let own = match row.patience() {
            Patience::Sleeps => machine::own_cpu_time()?.saturating_sub(own),
            // Of CPU time, what it spent watching can't be told apart; where others take its core, it counts as busy.
            Patience::Watches => elapsed.saturating_sub(load.idle() - idle),
        };
        let busiest = busiest(threads, server.threads());
        let done = (load.ledger.counts.done - done) as f64;
        load.drain(DRAIN)?;
        let counts = load.end().counts;
        aside.end(self)?;
        Ok(Capacity {
            round,
            at: start + elapsed / 2,
            rate: done / elapsed.as_secs_f64(),
            cpu: cpu.as_secs_f64() * 1e6 / done.max(1.0),
            cores: (cpu.div_duration_f64(elapsed), own.div_duration_f64(elapsed)),
            busiest,
            counts,
        })
    }

    /// So many messages a second.
    pub fn half(&mut self, row: &'static Row, rate: f64) -> Result<Half, BenchError> {
        // A second has messages enough for a p99; where it has not, more rounds tell more than a longer one.
        let (pace, length) = (Pace::Rate(rate.max(1.0)), self.length() * 2 / 3);
        self.fleet.turn_of(Some(row.server))?;
        let aside = Aside::begin(self, row)?;
        let (mut load, _) = self.load(row)?;
        load.drive(pace, WARM_UP)?;
        load.ledger.begin();
        load.drive(pace, length)?;
        load.drain(DRAIN)?;
        let ledger = load.end();
        aside.end(self)?;
        let micros = |latency: &Histogram<u64>, quantile| latency.value_at_quantile(quantile) as f64;
        let [p50, p99] = [0.5, 0.99].map(|quantile| micros(&ledger.latency, quantile));
        Ok(Half { rate, p50, p99, since_due: micros(&ledger.since_due, 0.99), counts: ledger.counts })
    }

    /// Of a run, without the start that is not counted.
    fn length(&self) -> Duration {
        Duration::from_secs(u64::from(self.options.seconds)).saturating_sub(WARM_UP)
    }

    fn load(&mut self, row: &Row) -> Result<(Load<'_>, &Servers), BenchError> {
        self.run += 1;
        let (options, run) = (self.options, self.run);
        let (servers, mut ends) = self.fleet.load(row.server)?;
        let mut templates = Vec::new();
        for user in 0..fleet::pairs(options, row.server) {
            templates.push(template(options, row, run, user, servers.first(), &mut ends)?);
        }
        let load = Load::new(run, ends.wire(servers), templates).waits(row.patience());
        Ok((if row.to == Recipient::Away { load.of_answers() } else { load }, servers))
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
