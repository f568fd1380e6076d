//! The table.

use std::fmt::Write as _;

use crate::cli::Row;
use crate::rounds::{Measured, Round};

/// The measured rows as Markdown, and below it what went wrong, if anything did.
pub fn markdown(measured: &[Measured]) -> String {
    let floor = measured.iter().find(|one| one.row == Row::Floor).map(|one| cpu(&one.rounds).median);
    let mut out = String::from(
        "| | messages/s | server CPU a message | × floor | at half load: messages/s | lost | p50 | p99 |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for one in measured {
        let (rate, cpu) = (Spread::of(one.rounds.iter().map(|round| round.rate)), cpu(&one.rounds));
        let ratio = floor.map_or_else(String::new, |floor| format!("{:.2}", cpu.median / floor));
        let latency = &one.half.ledger.latency;
        let _ = writeln!(
            out,
            "| {} | {:.0} ({:.0} to {:.0}) | {:.2} µs ({:.2} to {:.2}) | {ratio} | {:.0} | {} | {} µs | {} µs |",
            one.row.title(),
            rate.median,
            rate.least,
            rate.most,
            cpu.median,
            cpu.least,
            cpu.most,
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
            one.row.title(),
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

    fn measured(row: Row, figures: [(f64, f64); 3], lost: u64) -> Measured {
        let counts =
            || Counts { sent: 10 + lost, answered: 10, delivered: 10, done: 10, ..Counts::default() };
        let rounds = figures.map(|(rate, cpu)| Round { rate, cpu, counts: counts() }).into();
        Measured { row, rounds, half: Half { rate: 5.0, ledger: Ledger::new() } }
    }

    #[test]
    fn medians_spread_and_ratio() {
        let text = markdown(&[
            measured(Row::Floor, [(90.0, 8.0), (70.0, 10.0), (80.0, 9.0)], 0),
            measured(Row::Relay, [(40.0, 18.0), (30.0, 20.0), (20.0, 18.0)], 1),
        ]);
        assert!(text.contains("80 (70 to 90) | 9.00 µs (8.00 to 10.00) | 1.00 |"), "{text}");
        assert!(text.contains("30 (20 to 40) | 18.00 µs (18.00 to 20.00) | 2.00 |"), "{text}");
        assert_eq!(text.matches("chappe, point to point at capacity: 11 sent").count(), 3, "{text}");
        assert!(!text.contains("parses nothing at"), "{text}");
    }
}
