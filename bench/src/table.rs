//! The table.

use std::fmt::Write as _;

use crate::rounds::{Measured, Round};
use crate::row::{FLOOR, KAMAILIO, RELAY, TWO_CORES};

/// The measured rows as Markdown, and below it what went wrong, if anything did.
pub fn markdown(measured: &[Measured]) -> String {
    let times = |name: &str, of: f64| {
        cpu_of(measured, name).map_or_else(String::new, |one| format!("{:.2}", of / one))
    };
    let mut out = String::from(
        "| | messages/s | server CPU a message | × floor | × relay | at half load: messages/s | lost | p50 | p99 |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for one in measured {
        let (rate, cpu) = (Spread::of(one.rounds.iter().map(|round| round.rate)), cpu(&one.rounds));
        let latency = &one.half.ledger.latency;
        let _ = writeln!(
            out,
            "| {} | {:.0} ({:.0} to {:.0}) | {:.2} µs ({:.2} to {:.2}) | {} | {} | {:.0} | {} | {} µs | {} µs |",
            one.row.title,
            rate.median,
            rate.least,
            rate.most,
            cpu.median,
            cpu.least,
            cpu.most,
            times(FLOOR, cpu.median),
            times(RELAY, cpu.median),
            one.half.rate,
            one.half.ledger.open(),
            latency.value_at_quantile(0.5),
            latency.value_at_quantile(0.99),
        );
    }
    for one in measured {
        remarks(one, &mut out);
    }
    out
}

/// The median CPU of a row, if it was measured.
pub fn cpu_of(measured: &[Measured], name: &str) -> Option<f64> {
    let found = measured.iter().find(|one| one.row.name == name);
    found.map(|one| cpu(&one.rounds).median).filter(|cpu| *cpu > 0.0)
}

/// Two rows whose ratio says something.
const RATIOS: &[(&str, &str, &str)] = &[
    (RELAY, FLOOR, "a relayed message costs so many times the floor"),
    (KAMAILIO, RELAY, "Kamailio's relay costs so many times ours"),
    ("reply", RELAY, "a `reply` costs so many times a relayed message"),
    ("extensions-1k", "extensions-1", "the last of 1,000 extensions costs so many times the only one"),
    ("extensions-10k", "extensions-1", "the last of 10,000 extensions costs so many times the only one"),
    ("digest", RELAY, "digest on every message: so many times a relayed message"),
    ("lua", "reply", "a reply from Lua costs so many times one from the chatplan"),
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
        out.push_str(TWO_CORES_REMARK);
    }
    out
}

/// How that is known.
const TWO_CORES_REMARK: &str = "\nTwo cores: with fewer than four cores the load generator has no core of its own beside \
    two of the server's, so it, and not the server, would set the rate. Messages that a core can do in a second are taken \
    from the CPU that the server's process used for one, with both shards at work and 32 ports of senders and devices that \
    the kernel spreads over them: what the two shards cost each other (locks, handed over answers, cache lines) is in that \
    figure, and waiting for the load is not.\n";

/// What a reader must know before believing the row.
fn remarks(one: &Measured, out: &mut String) {
    let runs = one.rounds.iter().map(|round| ("at capacity", &round.counts));
    for (when, counts) in runs.chain([("at half load", &one.half.ledger.counts)]) {
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
        let rounds = figures.map(|(rate, cpu)| Round { rate, cpu, counts: counts() }).into();
        let row = row::named(name).unwrap();
        Measured { row, rounds, half: Half { rate: 5.0, ledger: Ledger::new() } }
    }

    #[test]
    fn medians_spread_and_ratios() {
        let rows = [
            measured(FLOOR, [(90.0, 8.0), (70.0, 10.0), (80.0, 9.0)], 0),
            measured(RELAY, [(40.0, 18.0), (30.0, 20.0), (20.0, 18.0)], 1),
            measured("reply", [(40.0, 27.0), (30.0, 27.0), (20.0, 27.0)], 0),
            measured(TWO_CORES, [(40.0, 20.0), (30.0, 20.0), (20.0, 20.0)], 0),
        ];
        let text = markdown(&rows);
        assert!(text.contains("80 (70 to 90) | 9.00 µs (8.00 to 10.00) | 1.00 | 0.50 |"), "{text}");
        assert!(text.contains("30 (20 to 40) | 18.00 µs (18.00 to 20.00) | 2.00 | 1.00 |"), "{text}");
        assert_eq!(text.matches("chappe, point to point at capacity: 11 sent").count(), 3, "{text}");
        assert!(!text.contains("parses nothing at"), "{text}");
        let text = ratios(&rows);
        assert!(text.contains("times the floor | 2.00 |"), "{text}");
        assert!(text.contains("times a relayed message | 1.50 |"), "{text}");
        assert!(text.contains("messages of one | 1.80 |"), "{text}");
        assert!(!text.contains("Kamailio"), "{text}");
    }

    #[test]
    fn ratios_are_of_rows_that_there_are() {
        let names = RATIOS.iter().flat_map(|(one, other, _)| [one, other]);
        assert!(names.into_iter().all(|name| row::named(name).is_some()));
    }
}
