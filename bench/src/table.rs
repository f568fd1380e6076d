//! The table.

use std::fmt::Write as _;

use crate::rounds::{Half, Measured, Round};
use crate::row::{Conf, FLOOR, KAMAILIO, KAMAILIO_STORED, Kind, RELAY, TWO_CORES};

/// The measured rows as Markdown, and below it what went wrong, if anything did.
pub fn markdown(measured: &[Measured]) -> String {
    let times = |name: &str, of: f64| {
        cpu_of(measured, name).map_or_else(String::new, |one| format!("{:.2}", of / one))
    };
    let mut out = String::from(
        "| | messages/s | server CPU a message | × floor | × relay | CPU use: server | load | at half load: messages/s | lost | p50 | p99 |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for one in measured {
        let (rate, cpu) = (Spread::of(one.rounds.iter().map(|round| round.rate)), cpu(&one.rounds));
        let Ok(half) = &one.half else {
            let _ = writeln!(out, "| {} | failed, see below | | | | | | | | | |", one.row.title);
            continue;
        };
        let latency = &half.ledger.latency;
        let used = |part: fn(&Round) -> f64| 100.0 * median(one.rounds.iter().map(part));
        let _ = writeln!(
            out,
            "| {} | {:.0} ({:.0} to {:.0}) | {:.2} µs ({:.2} to {:.2}) | {} | {} | {:.0} % | {:.0} % | {:.0} | {} | {} µs | {} µs |",
            one.row.title,
            rate.median,
            rate.least,
            rate.most,
            cpu.median,
            cpu.least,
            cpu.most,
            times(FLOOR, cpu.median),
            times(RELAY, cpu.median),
            used(|round| round.cores.0),
            used(|round| round.cores.1),
            half.rate,
            half.ledger.open(),
            latency.value_at_quantile(0.5),
            latency.value_at_quantile(0.99),
        );
    }
    if measured.iter().any(|one| matches!(one.row.server, Kind::Chappe(Conf::Connected(_)))) {
        out.push_str(CONNECTED_REMARK);
    }
    out.push_str(LOAD_REMARK);
    if measured.iter().any(|one| one.row.name == KAMAILIO_STORED) {
        out.push_str(MSILO_REMARK);
    }
    for one in measured {
        match &one.half {
            Ok(half) => remarks(one, half, &mut out),
            Err(why) => {
                let _ = writeln!(out, "\n{} failed:\n\n```text\n{}\n```", one.row.title, why.trim_end());
            }
        }
    }
    out
}

/// How a reader sees that the server is what was measured.
const LOAD_REMARK: &str = "\nCPU use is that of a core while the capacity was measured, of the server's process and of the \
    load's, which has a core of its own: where the load is below 100 % it had time left, and waited for answers. CPU a message is counted by the \
    system for the server's process and holds in either case.\n";

/// What is different about them.
const CONNECTED_REMARK: &str = "\nConnections: as many senders as receivers (`--connections`), each registered over its own. With \
    little on its way on each, nearly every message and every answer is a call of its own on both sides, where UDP's come and go \
    in batches. Whole handshakes, TLS 1.3.\n";

/// What the peer's 202 means.
const MSILO_REMARK: &str = "\nWhat a 202 promises: chappe's is sent once the message is in its store and synced, many messages with \
    one sync; msilo's once its INSERT has returned. SQLite as Kamailio opens it (a rollback journal, `synchronous` full, a transaction \
    for each message) has called fdatasync four times by then. Both survive a power failure.\n";

/// The median CPU of a row, if it was measured.
pub fn cpu_of(measured: &[Measured], name: &str) -> Option<f64> {
    let found = measured.iter().find(|one| one.row.name == name);
    found.filter(|one| one.half.is_ok()).map(|one| cpu(&one.rounds).median).filter(|cpu| *cpu > 0.0)
}

/// Two rows whose ratio says something.
const RATIOS: &[(&str, &str, &str)] = &[
    (RELAY, FLOOR, "a relayed message costs so many times the floor"),
    (KAMAILIO, RELAY, "Kamailio's relay costs so many times ours"),
    ("tcp", RELAY, "a message over TCP costs so many times one over UDP"),
    ("tls", RELAY, "a message over TLS costs so many times one over UDP"),
    ("wss", RELAY, "a message over a WebSocket with TLS costs so many times one over UDP"),
    ("reply", RELAY, "a `reply` costs so many times a relayed message"),
    ("extensions-1k", "extensions-1", "the last of 1,000 extensions costs so many times the only one"),
    ("extensions-10k", "extensions-1", "the last of 10,000 extensions costs so many times the only one"),
    ("digest", RELAY, "digest on every message: so many times a relayed message"),
    ("lua", "reply", "a reply from Lua costs so many times one from the chatplan"),
    ("kamailio-lua", "lua", "Kamailio's reply from Lua costs so many times ours"),
    (KAMAILIO_STORED, "stored", "Kamailio's msilo costs so many times our store"),
];

/// What follows from the rows, as Markdown.
pub fn ratios(measured: &[Measured]) -> String {
    let mut out = String::from("| | |\n|---|---|\n");
    for (one, other, meaning) in RATIOS {
        if let (Some(one), Some(other)) = (cpu_of(measured, one), cpu_of(measured, other)) {
            let _ = writeln!(out, "| {meaning} | {:.2} |", one / other);
        }
    }
    if let (Some(one), Some(two)) = (cpu_of(measured, RELAY), cpu_of(measured, TWO_CORES)) {
        let _ = writeln!(out, "| two cores do so many times the messages of one | {:.2} |", 2.0 * one / two);
        out.push_str(&two_cores(measured));
    }
    out
}

/// How that is known, and how far the figure can be trusted.
fn two_cores(measured: &[Measured]) -> String {
    let rounds = || measured.iter().filter(|one| one.row.name == TWO_CORES).flat_map(|one| &one.rounds);
    let used = median(rounds().map(|round| round.cores.0));
    let busiest = median(rounds().map(|round| round.busiest));
    let mut out = TWO_CORES_REMARK.to_owned();
    let _ = write!(
        out,
        "In this run the two shards used {:.0} % of a core together, and the busier one did {:.0} % of the work",
        100.0 * used,
        100.0 * busiest,
    );
    // Two that use more than all of one core together have run at the same time.
    let _ = match used {
        1.0.. => writeln!(out, "; both ran at once for at least {:.0} % of the time.", 100.0 * (used - 1.0)),
        _ => writeln!(out, "."),
    };
    out
}

/// How that is known.
const TWO_CORES_REMARK: &str = "\nTwo cores: a rate would say what the load can do, which on two cores has none of its own beside \
    two of the server's. So the figure is worked out from the CPU that a message costs: two cores, each with a shard, do twice \
    what one does if a message costs no more there, and less by as much as it costs more. What it costs is counted by the system \
    for the server's process while both shards are at work, with 32 ports of senders and devices that the kernel spreads over \
    them, so that half of the messages go from one shard's socket to users of the other's. What the shards cost each other (locks, \
    answers handed over, cache lines) is in it; waiting for the load is not. Two things pull the figure either way: the load \
    shares a core and its caches with one shard, which makes a message dearer than it would be beside a load on a machine of its own; \
    and it takes time from that shard, so that the two meet each other less often. With four cores the load has its own, \
    and nothing pulls.\n";

/// What a reader must know before believing the row.
fn remarks(one: &Measured, half: &Half, out: &mut String) {
    let runs = one.rounds.iter().map(|round| ("at capacity", &round.counts));
    for (when, counts) in runs.chain([("at half load", &half.ledger.counts)]) {
        let refused: u64 = counts.refused.values().sum();
        let lost = counts.sent - counts.done - refused;
        if lost + refused + counts.duplicates + counts.retransmitted == 0 {
            continue;
        }
        let _ = write!(
            out,
            "\n{} {when}: {} sent, {} answered, {} delivered, {lost} lost, {} duplicates, {} retransmitted",
            one.row.title,
            counts.sent,
            counts.answered,
            counts.delivered,
            counts.duplicates,
            counts.retransmitted,
        );
        for (code, count) in &counts.refused {
            let _ = write!(out, ", {count} answered {code}");
        }
        out.push('\n');
    }
}

fn cpu(rounds: &[Round]) -> Spread {
    Spread::of(rounds.iter().map(|round| round.cpu))
}

/// The middle of several figures, and the outermost.
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    pub fn of(figures: impl Iterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        match (figures.first(), figures.last()) {
            (Some(&least), Some(&most)) => {
                let (below, above) = (figures[(figures.len() - 1) / 2], figures[figures.len() / 2]);
                Spread { median: (below + above) / 2.0, least, most }
            }
            _ => Spread { median: 0.0, least: 0.0, most: 0.0 },
        }
    }
}

/// The middle of several figures.
pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    Spread::of(figures).median
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Counts, Ledger};
    use crate::rounds::Half;
    use crate::row;

    fn measured(name: &str, figures: [(f64, f64); 3], lost: u64) -> Measured {
        let counts =
            || Counts { sent: 10 + lost, answered: 10, delivered: 10, done: 10, ..Counts::default() };
        let rounds =
            figures.map(|(rate, cpu)| Round { rate, cpu, cores: (1.0, 0.6), busiest: 0.5, counts: counts() });
        let rounds = rounds.into();
        let row = row::named(name).unwrap();
        Measured { row, rounds, half: Ok(Half { rate: 5.0, ledger: Ledger::new() }) }
    }

    #[test]
    fn medians_spread_and_ratios() {
        let mut rows = [
            measured(FLOOR, [(90.0, 8.0), (70.0, 10.0), (80.0, 9.0)], 0),
            measured(RELAY, [(40.0, 18.0), (30.0, 20.0), (20.0, 18.0)], 1),
            measured("reply", [(40.0, 27.0), (30.0, 27.0), (20.0, 27.0)], 0),
            measured(TWO_CORES, [(40.0, 20.0), (30.0, 20.0), (20.0, 20.0)], 0),
        ];
        let text = markdown(&rows);
        assert!(
            text.contains("80 (70 to 90) | 9.00 µs (8.00 to 10.00) | 1.00 | 0.50 | 100 % | 60 % |"),
            "{text}"
        );
        assert!(text.contains("30 (20 to 40) | 18.00 µs (18.00 to 20.00) | 2.00 | 1.00 |"), "{text}");
        assert_eq!(text.matches("chappe, point to point at capacity: 11 sent").count(), 3, "{text}");
        assert!(!text.contains("parses nothing at"), "{text}");
        let text = ratios(&rows);
        assert!(text.contains("times the floor | 2.00 |"), "{text}");
        assert!(text.contains("times a relayed message | 1.50 |"), "{text}");
        assert!(text.contains("messages of one | 1.80 |"), "{text}");
        assert!(text.contains("both ran at once for at least 0 %"), "{text}");
        assert!(!text.contains("Kamailio"), "{text}");
        rows[2].half = Err("the server ended\nfor a reason\n".to_owned());
        assert!(!ratios(&rows).contains("times a relayed message"));
        let text = markdown(&rows);
        assert!(text.contains("| chappe, `reply` from the chatplan | failed, see below |"), "{text}");
        assert!(text.contains("failed:\n\n```text\nthe server ended\nfor a reason\n```\n"), "{text}");
    }

    #[test]
    fn ratios_are_of_rows_that_there_are() {
        let names = RATIOS.iter().flat_map(|(one, other, _)| [one, other]);
        assert!(names.into_iter().all(|name| row::named(name).is_some()));
    }
}
