//! The table.

use std::fmt::Write as _;

use crate::ledger::Counts;
use crate::rounds::{Capacity, Measured, pairs};
use crate::row::{Conf, FLOOR, KAMAILIO, KAMAILIO_STORED, Kind, RELAY, TWO_CORES, TWO_SERVERS};
use crate::spread::{Spread, median};

const HEAD: &str = "| | messages/s | server CPU a message | × floor | × relay | CPU use: server | load | at half load: messages/s \
    | lost | p50 | p99 | p99 since it was due |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n";

/// The measured rows as Markdown, and below it what went wrong, if anything did.
pub fn markdown(measured: &[Measured]) -> String {
    let mut out = HEAD.to_owned();
    for one in measured {
        line(measured, one, &mut out);
    }
    if measured.iter().any(|one| matches!(one.row.server, Kind::Chappe(Conf::Connected(_)))) {
        out.push_str(CONNECTED_REMARK);
    }
    out.push_str(LOAD_REMARK);
    if measured.iter().any(|one| one.row.name == KAMAILIO_STORED) {
        out.push_str(MSILO_REMARK);
    }
    for one in measured {
        remarks(one, &mut out);
    }
    out
}

fn line(measured: &[Measured], one: &Measured, out: &mut String) {
    // Writing to a String does not fail.
    if one.failed.is_some() {
        let _ = writeln!(out, "| {} | failed, see below | | | | | | | | | | |", one.row.title);
        return;
    }
    let runs = &one.capacity;
    let times = |name| ratio_to(measured, one, name).map_or_else(String::new, |ratio| ratio.told(2, ""));
    let used = |part: fn(&Capacity) -> f64| 100.0 * median(runs.iter().map(part));
    let half = &one.half;
    let _ = writeln!(
        out,
        "| {} | {} | {} | {} | {} | {:.0} % | {:.0} % | {:.0} | {} | {:.0} µs | {} | {} |",
        one.row.title,
        Spread::of(runs.iter().map(|run| run.rate)).told(0, ""),
        cpu(one).told(2, " µs"),
        times(FLOOR),
        times(RELAY),
        used(|run| run.cores.0),
        used(|run| run.cores.1),
        median(half.iter().map(|half| half.rate)),
        half.iter().map(|half| half.counts.open()).sum::<u64>(),
        median(half.iter().map(|half| half.p50)),
        Spread::of(half.iter().map(|half| half.p99)).told(0, " µs"),
        Spread::of(half.iter().map(|half| half.since_due)).told(0, " µs"),
    );
}

/// How a reader sees that the server is what was measured.
const LOAD_REMARK: &str = "\nCPU use is that of a core while the capacity was measured, of the server's process and of the \
    load's, which has a core of its own: where the load is below 100 % it had time left, and waited for answers. CPU a message is counted by the \
    system for the server's process and holds in either case.\n\nLatency is from when a message was sent until its \
    2xx was in the client's socket, by the kernel's timestamp; beside it from when it was due until the load took its 2xx: what is more in \
    that is the load's own, whose core has other things to do at times, too.\n\nThe load does not sleep while it waits, but looks again every 3 µs; \
    that time is not in its CPU use. On loopback it is the server that would have to wake it, and pay for that, as over a \
    network no server does; and a timer that sends what is due comes up to 0.1 ms late. It sleeps where its core is needed by others: \
    by clients of the event socket, a second load, a server on both cores, the disk.\n";

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
    named(measured, name).map(|one| cpu(one).median).filter(|cpu| *cpu > 0.0)
}

fn named<'m>(measured: &'m [Measured], name: &str) -> Option<&'m Measured> {
    measured.iter().find(|one| one.row.name == name && one.failed.is_none())
}

fn ratio_to(measured: &[Measured], one: &Measured, name: &str) -> Option<Spread> {
    pairs::ratio(one, named(measured, name)?)
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
    let ratio = |one, other| ratio_to(measured, named(measured, one)?, other);
    for (one, other, meaning) in RATIOS {
        if let Some(ratio) = ratio(one, other) {
            let _ = writeln!(out, "| {meaning} | {} |", ratio.told(2, ""));
        }
    }
    // What shares nothing does twice as much on two cores as on one.
    let scaling = ratio(TWO_SERVERS, TWO_CORES).map(|ratio| ratio.times(2.0));
    if let Some(times) = &scaling {
        let _ = writeln!(out, "| two cores do so many times the messages of one | {} |", times.told(2, ""));
    }
    out.push_str(PAIRS_REMARK);
    if scaling.is_some() {
        out.push_str(&two_cores_remark(measured));
    }
    out
}

/// What the ratios are of.
const PAIRS_REMARK: &str = "\nRatios are of the CPU a message, each run of the one row with that run of the other which is nearest to it \
    in time in the same round, and the medians of these: the machine's speed drifts, and what it does in one half of a minute says little \
    about the other. The floor and the relay are measured between every few rows for that.\n";

/// How that is known, and how far the figure can be trusted.
fn two_cores_remark(measured: &[Measured]) -> String {
    let used = |name| {
        let runs = named(measured, name).into_iter().flat_map(|one| &one.capacity);
        let (used, busiest): (Vec<_>, Vec<_>) = runs.map(|run| (run.cores.0, run.busiest)).unzip();
        (100.0 * median(used), 100.0 * median(busiest))
    };
    let (two_cores, two_servers) = (used(TWO_CORES), used(TWO_SERVERS));
    format!(
        "{TWO_CORES_REMARK}In this run the two shards used {:.0} % of a core together, and the busier one did {:.0} % of the work; the two \
         servers {:.0} % and {:.0} %.\n",
        two_cores.0, two_cores.1, two_servers.0, two_servers.1
    )
}

/// How that is known.
const TWO_CORES_REMARK: &str = "\nTwo cores: a rate would say what the load can do, which on two cores has none of its own beside two of the \
    server's. It runs on one of them, takes time and caches from the shard there, and leaves it small batches; a message costs more \
    for that, whatever the shards cost each other. So a server with two shards, each kept on a core, is compared with two servers of \
    one shard each on the same cores, with the same load, half of the pairs of users for each: these share nothing, do by definition twice \
    what one does, and suffer from the load as the shards do. The figure is twice the CPU a message of the two servers by that of the two \
    shards. What shards cost each other (locks, cache lines) is in it: the ports of senders and devices are chosen \
    so that each shard has half of them, and half of the messages go to users of the other. One thing is too kind: where the load takes \
    time from one shard, the two run at once for less of the time than beside a load on a machine of its own, and meet less often. \
    ";

/// What a reader must know before believing the row.
fn remarks(one: &Measured, out: &mut String) {
    if let Some(why) = &one.failed {
        let _ = writeln!(out, "\n{} failed:\n\n```text\n{}\n```", one.row.title, why.trim_end());
        return;
    }
    remark(one, "at capacity", &one.capacity.iter().map(|run| &run.counts).sum(), out);
    remark(one, "at half load", &one.half.iter().map(|half| &half.counts).sum(), out);
}

/// Of all runs together.
fn remark(one: &Measured, when: &str, counts: &Counts, out: &mut String) {
    let refused: u64 = counts.refused.values().sum();
    let lost = counts.open();
    if lost + refused + counts.duplicates + counts.retransmitted == 0 {
        return;
    }
    let Counts { sent, answered, delivered, duplicates, retransmitted, .. } = counts;
    let _ = write!(
        out,
        "\n{} {when}: {sent} sent, {answered} answered, {delivered} delivered, {lost} lost, {duplicates} duplicates, \
         {retransmitted} retransmitted",
        one.row.title,
    );
    for (code, count) in &counts.refused {
        let _ = write!(out, ", {count} answered {code}");
    }
    out.push('\n');
}

fn cpu(one: &Measured) -> Spread {
    Spread::of(one.capacity.iter().map(|run| run.cpu))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::ledger::Counts;
    use crate::rounds::Half;
    use crate::row;

    fn measured(name: &str, figures: [(f64, f64); 3], lost: u64) -> Measured {
        let counts =
            || Counts { sent: 10 + lost, answered: 10, delivered: 10, done: 10, ..Counts::default() };
        let capacity = |(round, (rate, cpu))| Capacity {
            round,
            at: Instant::now(),
            rate,
            cpu,
            cores: (1.0, 0.6),
            busiest: 0.5,
            counts: counts(),
        };
        let half =
            |(rate, p99)| Half { rate: rate / 2.0, p50: 7.0, p99, since_due: 2.0 * p99, counts: counts() };
        Measured {
            row: row::named(name).unwrap(),
            capacity: (1..).zip(figures).map(capacity).collect(),
            half: figures.into_iter().map(half).collect(),
            failed: None,
        }
    }

    fn rows() -> [Measured; 5] {
        [
            measured(FLOOR, [(90.0, 8.0), (70.0, 10.0), (80.0, 9.0)], 0),
            measured(RELAY, [(40.0, 24.0), (30.0, 20.0), (20.0, 18.0)], 1),
            measured("reply", [(40.0, 27.0), (30.0, 27.0), (20.0, 27.0)], 0),
            measured(TWO_CORES, [(40.0, 20.0), (30.0, 20.0), (20.0, 20.0)], 0),
            measured(TWO_SERVERS, [(40.0, 18.0), (30.0, 20.0), (20.0, 17.0)], 0),
        ]
    }

    #[test]
    fn medians_spread_and_what_was_lost() {
        let text = markdown(&rows());
        let floor = "80 (70 to 90) | 9.00 µs (8.00 to 10.00) | 1.00 | 0.50 (0.33 to 0.50) | 100 % | 60 % | 40 | 0 | 7 µs | 9 µs (8 to 10) | 18 µs (16 to 20) |";
        assert!(text.contains(floor), "{text}");
        assert!(
            text.contains("30 (20 to 40) | 20.00 µs (18.00 to 24.00) | 2.00 (2.00 to 3.00) | 1.00 |"),
            "{text}"
        );
        assert!(text.contains("| 15 | 3 | 7 µs |"), "{text}");
        assert!(
            text.contains("point to point at capacity: 33 sent, 30 answered, 30 delivered, 3 lost"),
            "{text}"
        );
        assert!(text.contains("point to point at half load: 33 sent"), "{text}");
        assert!(!text.contains("parses nothing at"), "{text}");
    }

    #[test]
    fn ratios_are_those_of_the_rounds() {
        let text = ratios(&rows());
        assert!(text.contains("times the floor | 2.00 (2.00 to 3.00) |"), "{text}");
        // The ratio of the medians is the middle one.
        assert!(text.contains("times a relayed message | 1.35 (1.12 to 1.50) |"), "{text}");
        assert!(text.contains("messages of one | 1.80 (1.70 to 2.00) |"), "{text}");
        assert!(text.contains("used 100 % of a core together, and the busier one did 50 %"), "{text}");
        assert!(!text.contains("Kamailio"), "{text}");
    }

    #[test]
    fn a_row_that_failed_is_told_and_compared_with_nothing() {
        let mut rows = rows();
        rows[2].failed = Some("the server ended\nfor a reason\n".to_owned());
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
