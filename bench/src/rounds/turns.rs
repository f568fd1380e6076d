//! Whose turn it is.
//!
//! The speed of a machine drifts by a third over tens of seconds, so that what is compared has to be measured in the same
//! seconds. Everything is compared with the relay and the floor: these have a turn in the middle of every few rows. Rows
//! that are compared with each other stand near each other in the table. The two whose ratio is closest to 1 have a second turn in the
//! other order, so that a drift within the pair pulls it the other way.

use crate::row::{FLOOR, RELAY, Row, TWO_CORES, TWO_SERVERS};

/// Rows around one measurement of the baselines.
const BLOCK: usize = 4;

/// What is measured of the row at this place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    Capacity(usize),
    Half(usize),
}

/// One round: blocks of rows, first their capacities with those of the baselines between, then each at half load.
pub fn turns(rows: &[&Row]) -> Vec<Turn> {
    let (baselines, others): (Vec<_>, Vec<_>) =
        (0..rows.len()).partition(|&place| [FLOOR, RELAY].contains(&rows[place].name));
    let mut turns = Vec::new();
    for block in others.chunks(BLOCK) {
        let (before, after) = block.split_at(block.len() / 2);
        let around = before.iter().chain(&baselines).chain(after);
        turns.extend(around.map(|&place| Turn::Capacity(place)));
        turns.extend(block.iter().map(|&place| Turn::Half(place)));
    }
    if others.is_empty() {
        turns.extend(baselines.iter().map(|&place| Turn::Capacity(place)));
    }
    turns.extend(baselines.iter().map(|&place| Turn::Half(place)));
    let place = |name| rows.iter().position(|row| row.name == name);
    if let (Some(servers), Some(cores)) = (place(TWO_SERVERS), place(TWO_CORES)) {
        turns.extend([servers, cores].map(Turn::Capacity));
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{ROWS, named};

    /// Where in a round the capacities of a row are measured, counted in capacities.
    fn places(rows: &[&Row], name: &str) -> Vec<usize> {
        let turns = turns(rows);
        let capacities = turns.iter().filter_map(|turn| match turn {
            Turn::Capacity(place) => Some(*place),
            Turn::Half(_) => None,
        });
        capacities.enumerate().filter(|(_, row)| rows[*row].name == name).map(|(place, _)| place).collect()
    }

    #[test]
    fn every_row_is_measured_and_has_the_baselines_beside_it() {
        let rows: Vec<_> = ROWS.iter().collect();
        for (place, row) in ROWS.iter().enumerate() {
            let halves = turns(&rows).iter().filter(|turn| **turn == Turn::Half(place)).count();
            assert_eq!(halves, 1, "{}", row.name);
            if [FLOOR, RELAY].contains(&row.name) {
                continue;
            }
            let own = places(&rows, row.name)[0];
            for baseline in [FLOOR, RELAY] {
                let nearest = places(&rows, baseline).into_iter().map(|place| place.abs_diff(own)).min();
                assert!(nearest <= Some(3), "{} and {baseline}: {nearest:?}", row.name);
            }
        }
    }

    #[test]
    fn the_half_follows_the_capacity() {
        let rows: Vec<_> = ROWS.iter().collect();
        let turns = turns(&rows);
        for (place, row) in rows.iter().enumerate() {
            let at = |turn| turns.iter().position(|found| *found == turn);
            assert!(at(Turn::Capacity(place)) < at(Turn::Half(place)), "{}", row.name);
        }
    }

    #[test]
    fn the_closest_pair_has_turns_in_both_orders() {
        let rows: Vec<_> = ROWS.iter().collect();
        let (cores, servers) = (places(&rows, TWO_CORES), places(&rows, TWO_SERVERS));
        let [[first, last], [second, third]] = [&cores[..], &servers[..]].map(|at| [at[0], at[1]]);
        assert_eq!((second - first, last - third), (1, 1), "{cores:?} {servers:?}");
        assert_eq!((cores.len(), servers.len()), (2, 2));
    }

    #[test]
    fn baselines_alone_and_rows_without_them() {
        let rows = |names: &[&str]| names.iter().map(|name| named(name).unwrap()).collect::<Vec<_>>();
        let both = [Turn::Capacity(0), Turn::Capacity(1), Turn::Half(0), Turn::Half(1)];
        assert_eq!(turns(&rows(&[RELAY, FLOOR])), both);
        assert_eq!(turns(&rows(&["lua", "tcp"])), both);
        assert_eq!(turns(&rows(&[])), []);
    }
}
