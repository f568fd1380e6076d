//! Messages a second of one shard and of two, each with a part of its core: so the load has more than a core for itself on a
//! machine that has only two, and the rates are the server's.
//!
//! Each shard's thread is in a control group with a quota. Rounds with one shard, with two, and with two servers of one shard
//! each, which share nothing, take turns; the load, one thread, may run on both cores.

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
const WHAT: [&str; 3] = ["one", "two, each on a core", "two servers of one each, which share nothing"];

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
    machine::pin_to(&cores).map_err(BenchError::system("let the load have both cores"))?;
    let rounds = rounds(options, &cores);
    machine::pin(options.load_core).map_err(BenchError::system("keep the load on its core"))?;
    Ok(markdown(&rounds?))
}

fn rounds(options: &Options, cores: &[usize; 2]) -> Result<Vec<[Run; 3]>, BenchError> {
    let start = |cores: &[usize]| start(options, cores);
    let (first, second) = cores.split_at(1);
    let (one, two, apart) = (vec![start(first)?], vec![start(cores)?], vec![start(first)?, start(second)?]);
    let mut ports = even::open(&two[0], SPREAD)?;
    for servers in [&one, &two, &apart] {
        fleet::register_pairs(options.users, &mut ports, servers)?;
    }
    let (one, two, apart) = (Limited::new(one)?, Limited::new(two)?, Limited::new(apart)?);
    let mut number = 0;
    let mut turn = |limited: &Limited| {
        number += 1;
        run(options, number, limited, &mut ports)
    };
    (0..options.rounds).map(|_| Ok([turn(&one)?, turn(&two)?, turn(&apart)?])).collect()
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

fn markdown(rounds: &[[Run; 3]]) -> String {
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
    for (of, what) in [(1, "two do"), (2, "two servers do")] {
        let times = Spread::of(rounds.iter().map(|round| round[of].rate / round[0].rate)).told(2, "");
        let _ = writeln!(out, "| {what} so many times the messages of one | {times} | | |");
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
    its core, so that the load, one thread which may run on both cores, has more than a core left. Where the shards used up what they may, and \
    the load had time left of its 100 %, it is the shards that were measured. Of one shard the load keeps away, on the other core; with two at work it takes caches \
    and turns from both, which two servers that share nothing show as well: less than 2 for them is the load's doing. Shards that rest for most of the time meet each other less often \
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
        let round = |one, two| [run(one, &[0.3]), run(two, &[0.29, 0.31]), run(2.0 * one, &[0.3, 0.3])];
        let text = markdown(&[round(10.0, 20.0), round(40.0, 60.0), round(20.0, 36.0)]);
        assert!(text.contains("| one | 20 (10 to 40) | 30 % | 50 % |"), "{text}");
        assert!(text.contains("| two, each on a core | 36 (20 to 60) | 29 % and 31 % | 50 % |"), "{text}");
        assert!(
            text.contains("| two do so many times the messages of one | 1.80 (1.50 to 2.00) |"),
            "{text}"
        );
        assert!(text.contains("| two servers do so many times the messages of one | 2.00 |"), "{text}");
        assert!(text.contains("90 sent, 9 lost, 9 refused."), "{text}");
    }
}
