//! Ratios of what was measured at nearly the same time.

use std::time::{Duration, Instant};

use super::{Capacity, Measured};
use crate::spread::Spread;

/// What a message of the one row costs by what one of the other costs: the median over all pairs of runs. `None`: there is no
/// pair.
pub fn ratio(one: &Measured, other: &Measured) -> Option<Spread> {
    let were_measured = one.failed.is_none() && other.failed.is_none();
    let ratios = pairs(&one.capacity, &other.capacity).map(|(one, other)| one.cpu / other.cpu);
    let ratios: Vec<f64> = ratios.filter(|ratio| ratio.is_finite() && *ratio > 0.0).collect();
    (were_measured && !ratios.is_empty()).then(|| Spread::of(ratios))
}

/// Each run of the one with that run of the other which is nearest to it in time, of the same round.
fn pairs<'m>(
    one: &'m [Capacity],
    other: &'m [Capacity],
) -> impl Iterator<Item = (&'m Capacity, &'m Capacity)> {
    one.iter().filter_map(|run| {
        let of_round = other.iter().filter(|partner| partner.round == run.round);
        Some((run, of_round.min_by_key(|partner| apart(run.at, partner.at))?))
    })
}

fn apart(one: Instant, other: Instant) -> Duration {
    one.max(other) - one.min(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Counts;
    use crate::row;

    /// Runs by their rounds, seconds from the start, and CPU a message.
    fn measured(runs: &[(u32, u64, f64)]) -> Measured {
        let start = Instant::now();
        let run = |&(round, second, cpu)| Capacity {
            round,
            at: start + Duration::from_secs(second),
            rate: 1.0,
            cpu,
            cores: (1.0, 1.0),
            busiest: 1.0,
            counts: Counts::default(),
        };
        let capacity = runs.iter().map(run).collect();
        Measured { row: row::named(row::RELAY).unwrap(), capacity, half: Vec::new(), failed: None }
    }

    #[test]
    fn a_machine_that_becomes_slower_changes_no_ratio() {
        let one = measured(&[(1, 0, 10.0), (2, 20, 20.0), (3, 40, 90.0)]);
        let other = measured(&[(1, 2, 5.0), (2, 22, 10.0), (3, 42, 45.0)]);
        assert_eq!(ratio(&one, &other), Some(Spread { median: 2.0, least: 2.0, most: 2.0 }));
    }

    #[test]
    fn the_nearest_of_the_round_is_the_partner() {
        let one = measured(&[(1, 19, 12.0), (2, 21, 30.0), (3, 60, 9.0)]);
        let other = measured(&[(1, 0, 1.0), (1, 15, 6.0), (2, 20, 10.0), (2, 30, 1.0)]);
        // The third round has no partner.
        assert_eq!(ratio(&one, &other), Some(Spread { median: 2.5, least: 2.0, most: 3.0 }));
    }

    #[test]
    fn a_row_that_failed_and_one_without_figures_have_none() {
        let one = || measured(&[(1, 0, 10.0)]);
        let failed = Measured { failed: Some("ended".to_owned()), ..one() };
        assert_eq!(ratio(&one(), &failed), None);
        assert_eq!(ratio(&one(), &measured(&[(1, 0, 0.0)])), None);
        assert_eq!(ratio(&one(), &measured(&[])), None);
    }
}
