//! Messages a second of one shard and of two, each with a part of its core: so the load has more than a core for itself on a
//! machine that has only two, and the rates are the server's.
//!
//! Each shard's thread is in a control group with a quota. Rounds with one shard beside the load and one away from it, with both
//! at once, and with two servers of one shard each, which share nothing, take turns. The load, one thread, stays on its core: so
//! each of two shards has the company that it had alone.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::cgroup::Group;
use crate::cli::Options;
use crate::error::BenchError;
use crate::fleet::{self, SPREAD, even, receiver, sender};
use crate::folder::Setup;
use crate::ledger::Counts;
use crate::load::{Load, Pace};
use crate::machine;
use crate::message::Template;
use crate::rounds::program;
use crate::server::Server;
use crate::spread::{Spread, median};
use crate::udp::Port;
use crate::wire::Datagrams;

/// The part of its core that a shard may use.
const PART: f64 = 0.3;
/// Messages on their way at once for each shard: what it does in several periods of its quota.
const WINDOW: u64 = 256;
/// What waits for a shard's next period is never too old: it is the quota that keeps it waiting, and the load offers no more than
/// [`WINDOW`].
const PATIENT: &[(&str, &str)] = &[("max-request-age", "0")];
/// The start of a run that is not counted.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long the last messages of a run may take.
const DRAIN: Duration = Duration::from_secs(3);

/// What one run showed.
struct Run {
    /// Messages a second, answered and delivered.
    rate: f64,
    /// The part of a core that each shard used.
    shards: Vec<f64>,
    /// And the load.
    load: f64,
    counts: Counts,
}

/// What a round measures, in this order.
const WHAT: [&str; KINDS] = [
    "one, on the core without the load",
    "one, on the load's core",
    "two, each on a core",
    "two servers of one each, which share nothing",
];
const KINDS: usize = 4;

/// Servers whose shards have quotas.
struct Limited {
    servers: Vec<Server>,
    shards: Vec<u32>,
    // Removed once the servers are gone.
    _groups: Vec<Group>,
}

/// Measures; the figures as Markdown, or why there are none.
pub fn measure(options: &Options) -> Result<String, BenchError> {
    if let Err(error) = Group::new("probe", PART) {
        return Ok(format!(
            "\nTwo cores, messages a second: left out. On two cores it takes control groups for CPU time (version 1), so that the load has \
             time enough, and this machine does not let them be made: {error}.\n"
        ));
    }
    let cores = [options.server_core, options.second_core()];
    machine::pin(cores[1]).map_err(BenchError::system("keep the load on a core"))?;
    let rounds = rounds(options, &cores);
    machine::pin(options.load_core).map_err(BenchError::system("keep the load on its core"))?;
    Ok(markdown(&rounds?))
}

fn rounds(options: &Options, cores: &[usize; 2]) -> Result<Vec<[Run; KINDS]>, BenchError> {
    let start = |cores: &[usize]| start(options, cores);
    let (away, beside) = cores.split_at(1);
    let two = vec![start(cores)?];
    let mut ports = even::open(&two[0], SPREAD)?;
    let all = [vec![start(away)?], vec![start(beside)?], two, vec![start(away)?, start(beside)?]];
    for servers in &all {
        fleet::register_pairs(options.users, &mut ports, servers)?;
    }
    let all = all.into_iter().map(Limited::new).collect::<Result<Vec<_>, _>>()?;
    let mut number = 0;
    let mut turn = |kind: usize| {
        number += 1;
        run(options, number, &all[kind], &mut ports)
    };
    (0..options.rounds).map(|_| Ok([turn(0)?, turn(1)?, turn(2)?, turn(3)?])).collect()
}

/// A shard on each of these cores.
fn start(options: &Options, cores: &[usize]) -> Result<Server, BenchError> {
    let shards = cores.len() as u32;
    let setup = Setup { users: 2 * options.users, shards, profile: PATIENT, ..Setup::default() };
    Server::chappe_on(&program(options.chappe.as_ref())?, cores, setup)
}

impl Limited {
    fn new(servers: Vec<Server>) -> Result<Self, BenchError> {
        let shards: Vec<u32> = servers.iter().flat_map(Server::shards).collect();
        let limit = |shard: &u32| {
            let group = Group::new(&shard.to_string(), PART)?;
            group.take(*shard).map(|()| group)
        };
        let groups = shards.iter().map(limit).collect::<Result<Vec<_>, _>>();
        let groups = groups.map_err(BenchError::system("limit a shard"))?;
        Ok(Self { servers, shards, _groups: groups })
    }

    /// CPU time that each shard has used.
    fn used(&self) -> Vec<Duration> {
        let threads: Vec<_> = self.servers.iter().flat_map(Server::threads).collect();
        let used = |id| threads.iter().find(|(thread, _)| thread == id).map(|(_, time)| *time);
        self.shards.iter().map(|id| used(id).unwrap_or_default()).collect()
    }
}

fn run(options: &Options, number: u32, limited: &Limited, ports: &mut [Port]) -> Result<Run, BenchError> {
    let template = |user: u32| {
        let from = ports[user as usize % (ports.len() / 2)].address;
        Template::new(number, from, &sender(user), &receiver(options.users, user), options.size as usize)
    };
    let templates = (0..options.users).map(template).collect();
    let addresses = limited.servers.iter().map(|server| server.address).collect();
    let wire = Datagrams::new(addresses, ports);
    let mut load = Load::new(number, Box::new(wire), templates);
    let pace = Pace::Window(WINDOW * limited.shards.len() as u64);
    load.drive(pace, WARM_UP)?;
    let (start, own, before) = (Instant::now(), machine::own_cpu_time()?, limited.used());
    let done = load.ledger.counts.done;
    load.drive(pace, Duration::from_secs(u64::from(options.seconds)).saturating_sub(WARM_UP))?;
    let (elapsed, own) = (start.elapsed(), machine::own_cpu_time()?.saturating_sub(own));
    let used = limited.used().into_iter().zip(before);
    let shards = used.map(|(after, before)| after.saturating_sub(before).div_duration_f64(elapsed)).collect();
    let rate = (load.ledger.counts.done - done) as f64 / elapsed.as_secs_f64();
    load.drain(DRAIN)?;
    let run = Run { rate, shards, load: own.div_duration_f64(elapsed), counts: load.end().counts };
    eprintln!(
        "quotas, {} servers: {rate:.0}/s, shards {:.2?}, load {:.2}",
        limited.servers.len(),
        run.shards,
        run.load
    );
    Ok(run)
}

fn markdown(rounds: &[[Run; KINDS]]) -> String {
    let mut out = format!(
        "\n| shards with {:.0} % of a core each | messages/s | CPU use: the shards | load |\n|---|---|---|---|\n",
        100.0 * PART
    );
    for (place, what) in WHAT.into_iter().enumerate() {
        let runs = || rounds.iter().map(|round| &round[place]);
        // Writing to a String does not fail.
        let _ = writeln!(
            out,
            "| {what} | {} | {} | {:.0} % |",
            Spread::of(runs().map(|run| run.rate)).told(0, ""),
            uses(&runs().collect::<Vec<_>>()),
            100.0 * median(runs().map(|run| run.load)),
        );
    }
    for (place, what) in [(2, "two do"), (3, "two servers do")] {
        let times = rounds.iter().map(|round| 2.0 * round[place].rate / (round[0].rate + round[1].rate));
        let times = Spread::of(times).told(2, "");
        let _ = writeln!(
            out,
            "| {what} so many times the messages of one (the mean of its two places) | {times} | | |"
        );
    }
    let all: Counts = rounds.iter().flatten().map(|run| &run.counts).sum();
    let refused: u64 = all.refused.values().sum();
    out.push_str(REMARK);
    let _ = writeln!(out, "{} sent, {} lost, {refused} refused.", all.sent, all.open());
    out
}

/// What each shard used, as the median over the runs.
fn uses(runs: &[&Run]) -> String {
    let shards = runs.first().map_or(0, |run| run.shards.len());
    let used = |shard: usize| 100.0 * median(runs.iter().map(|run| run.shards[shard]));
    let used: Vec<_> = (0..shards).map(|shard| format!("{:.0} %", used(shard))).collect();
    used.join(" and ")
}

const REMARK: &str = "\nTwo cores, messages a second: each shard's thread is in a control group of the kernel's that lets it use a part of \
    its core, so that the load, one thread, has enough left of the core that it stays on. Where the shards used up what they may, and \
    the load had time left, it is the shards that were measured. Beside the load a shard reads larger batches than away from it, and has less of \
    the caches; so each place is measured alone, and two shards, of which each has one of the places, are compared with the mean. Two servers that share \
    nothing show how near to 2 this machine lets them come. Shards that rest for most of the time meet each other less often \
    than two that always run; what they cost each other when they do is in the figure above. ";

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rate: f64, shards: &[f64]) -> Run {
        let counts = Counts { sent: 10, done: 8, refused: [(503, 1)].into(), ..Counts::default() };
        Run { rate, shards: shards.to_vec(), load: 0.5, counts }
    }

    #[test]
    fn the_ratio_is_that_of_each_round() {
        let round = |one, two| {
            [
                run(1.5 * one, &[0.3]),
                run(0.5 * one, &[0.3]),
                run(two, &[0.29, 0.31]),
                run(2.0 * one, &[0.3, 0.3]),
            ]
        };
        let text = markdown(&[round(10.0, 20.0), round(40.0, 60.0), round(20.0, 36.0)]);
        for line in [
            "| one, on the core without the load | 30 (15 to 60) | 30 % | 50 % |",
            "| two, each on a core | 36 (20 to 60) | 29 % and 31 % | 50 % |",
            "| two do so many times the messages of one (the mean of its two places) | 1.80 (1.50 to 2.00) |",
            "| two servers do so many times the messages of one (the mean of its two places) | 2.00 |",
            "120 sent, 12 lost, 12 refused.",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
