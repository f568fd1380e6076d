//! The tables.

use std::fmt::Write as _;

use super::{Deaf, Round, Row};
use crate::spread::{Spread, median};

/// The rows as Markdown, and below them what went wrong, if anything did.
pub fn rates(measured: &[(Row, Vec<Round>)]) -> String {
    let feeding = measured.iter().find(|(row, _)| row.subscribers == 0);
    let feeding = feeding.map(|(_, rounds)| cpu(rounds).median);
    let mut out = String::from(
        "| | events/s | events/s × subscribers | server CPU an event | of it for each subscriber | server's core busy |\n\
         |---|---|---|---|---|---|\n",
    );
    for (row, rounds) in measured {
        let (rate, cpu) = (rate(rounds), cpu(rounds));
        let subscribers = f64::from(row.subscribers);
        let each =
            feeding.filter(|_| row.subscribers > 0).map(|feeding| (cpu.median - feeding) / subscribers);
        let each = each.map_or_else(String::new, |each| format!("{each:.2} µs"));
        let busy = median(rounds.iter().map(|round| round.busy));
        let _ = writeln!(
            out,
            "| {row} | {} | {:.0} | {} | {each} | {busy:.0} % |",
            rate.told(0, ""),
            rate.median * subscribers,
            cpu.told(2, " µs"),
        );
    }
    for (row, rounds) in measured {
        let lost: u64 = rounds.iter().map(|round| round.lost).sum();
        if lost > 0 {
            let _ = writeln!(out, "\n{row}: {lost} events were not heard by everybody");
        }
    }
    out
}

/// What a client that reads nothing changes, as Markdown.
pub fn deaf(measured: &[Deaf]) -> String {
    let mut out = format!(
        "| {} subscribers | events/s | beside one that reads nothing | change | server CPU an event | beside it | the \
         server's memory grew by | its queue may hold | events left out for it |\n|---|---|---|---|---|---|---|---|---|\n",
        super::BESIDE
    );
    for one in measured {
        let without = Spread::of(one.rounds.iter().map(|(without, _)| without.rate));
        let with = Spread::of(one.rounds.iter().map(|(_, with)| with.rate));
        let _ = writeln!(
            out,
            "| {} | {} | {} | {:+.1} % | {:.2} µs | {:.2} µs | {:.1} MB | {:.1} MB | {} |",
            one.format.name(),
            without.told(0, ""),
            with.told(0, ""),
            100.0 * (with.median / without.median - 1.0),
            median(one.rounds.iter().map(|(without, _)| without.cpu)),
            median(one.rounds.iter().map(|(_, with)| with.cpu)),
            one.grown as f64 / 1e6,
            one.bound as f64 / 1e6,
            one.missed,
        );
    }
    out
}

fn rate(rounds: &[Round]) -> Spread {
    Spread::of(rounds.iter().map(|round| round.rate))
}

fn cpu(rounds: &[Round]) -> Spread {
    Spread::of(rounds.iter().map(|round| round.cpu))
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::*;

    fn rounds(figures: [(f64, f64); 3]) -> Vec<Round> {
        figures.map(|(rate, cpu)| Round { rate, cpu, busy: 90.0, lost: 0 }).into()
    }

    #[test]
    fn what_a_subscriber_costs() {
        let row = |subscribers| Row { subscribers, format: Format::Json };
        let text = rates(&[
            (row(0), rounds([(900.0, 10.0), (700.0, 11.0), (800.0, 12.0)])),
            (row(10), rounds([(90.0, 51.0), (70.0, 61.0), (80.0, 71.0)])),
        ]);
        let expected =
            "| 10 subscribers, JSON | 80 (70 to 90) | 800 | 61.00 µs (51.00 to 71.00) | 5.00 µs | 90 % |";
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("not heard"), "{text}");
    }

    #[test]
    fn what_one_that_reads_nothing_changes() {
        let both = || rounds([(100.0, 1.0); 3]).into_iter().zip(rounds([(95.0, 1.0); 3])).collect();
        let one =
            Deaf { format: Format::Plain, rounds: both(), grown: 1_500_000, bound: 2_000_000, missed: 7 };
        let text = deaf(&[one]);
        assert!(text.contains("| -5.0 % | 1.00 µs | 1.00 µs | 1.5 MB | 2.0 MB | 7 |"), "{text}");
    }
}
