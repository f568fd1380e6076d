//! The order of the measurements.

mod aside;
mod bench;
pub mod pairs;
mod turns;

use std::time::Instant;

use self::bench::Bench;
use self::turns::{Turn, blocks};
use crate::cli::Options;
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::ledger::Counts;
use crate::machine;
use crate::row::Row;
use crate::stalls::{self, Stalls};

pub use crate::fleet::program;

/// What a run in closed loop showed.
pub struct Capacity {
    /// Counted from 1 on, over all blocks.
    pub round: u32,
    /// The middle of the run.
    pub at: Instant,
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

/// A run at half the capacity that the row had in the same round.
pub struct Half {
    /// Messages a second that were sent.
    pub rate: f64,
    /// From when a message was sent until its 2xx had come, in microseconds.
    pub p50: f64,
    pub p99: f64,
    /// The p99 from when it was due until the load took its 2xx.
    pub since_due: f64,
    pub counts: Counts,
}

/// All that is known of a row.
pub struct Measured {
    pub row: &'static Row,
    /// One a round of its block; the baselines have one in each.
    pub capacity: Vec<Capacity>,
    pub half: Vec<Half>,
    /// Why the row was left alone.
    pub failed: Option<String>,
}

/// All that was measured.
pub struct Rounds {
    pub rows: Vec<Measured>,
    /// Of each round and core, while nothing was at work.
    pub stalls: Vec<Stalls>,
}

/// Measures the rows in turns. A row that fails is left alone from then on; the others have their figures.
pub fn measure(options: &Options) -> Result<Rounds, BenchError> {
    machine::check_cores(options.server_core, options.load_core)?;
    machine::pin(options.load_core).map_err(BenchError::system("keep the load on its core"))?;
    let mut rows = options.rows();
    let fleet = Fleet::new(options, &mut rows)?;
    let mut bench = Bench::new(options, fleet);
    let mut measured: Vec<Measured> = rows.iter().copied().map(Measured::nothing).collect();
    let (mut stalls, mut round) = (Vec::new(), 0);
    for turns in blocks(&rows) {
        let needed: Vec<&Row> = turns.iter().map(|turn| rows[turn.place()]).collect();
        bench.fleet.serve(options, &needed)?;
        for _ in 0..options.rounds {
            round += 1;
            bench.fleet.turn_of(None)?;
            stalls.extend(stalls::measure(&[options.server_core, options.load_core])?);
            for turn in &turns {
                match *turn {
                    Turn::Capacity(place) => measured[place].capacity(&mut bench, round),
                    Turn::Half(place) => measured[place].half(&mut bench, round),
                }
            }
        }
    }
    Ok(Rounds { rows: measured, stalls })
}

impl Measured {
    fn nothing(row: &'static Row) -> Self {
        Measured { row, capacity: Vec::new(), half: Vec::new(), failed: None }
    }

    fn capacity(&mut self, bench: &mut Bench<'_>, round: u32) {
        if self.failed.is_some() {
            return;
        }
        let title = self.row.title;
        match bench.capacity(self.row, round) {
            Ok(run) => {
                let Capacity { rate, cpu, cores: (server, load), .. } = run;
                eprintln!("round {round}: {title}: {rate:.0}/s, {cpu:.2} µs, cores {server:.2} / {load:.2}");
                self.capacity.push(run);
            }
            Err(error) => self.fail(round, &error),
        }
    }

    /// Half of what the row did last.
    fn half(&mut self, bench: &mut Bench<'_>, round: u32) {
        let last = self.capacity.last().filter(|run| run.round == round && self.failed.is_none());
        let Some(rate) = last.map(|run| run.rate / 2.0) else { return };
        match bench.half(self.row, rate) {
            Ok(half) => {
                eprintln!(
                    "round {round}: {} at {rate:.0}/s: p50 {:.0} µs, p99 {:.0} µs, since due {:.0} µs",
                    self.row.title, half.p50, half.p99, half.since_due
                );
                self.half.push(half);
            }
            Err(error) => self.fail(round, &error),
        }
    }

    fn fail(&mut self, round: u32, error: &BenchError) {
        eprintln!("round {round}: {}: FAILED: {error}", self.row.title);
        self.failed = Some(error.to_string());
    }
}
