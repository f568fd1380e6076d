//! Whose turn it is.
//!
//! The speed of a machine drifts by a third over tens of seconds, so that what is compared has to be measured in the same
//! seconds. Everything is compared with the relay and the floor: the rows are measured in blocks of a few, and these have their turns in
//! each round of each block. Rows that are compared with each other stand in one block. The two whose ratio is closest to 1 have a
//! second turn in the other order, so that a drift within the pair pulls it the other way.

use crate::row::{FLOOR, RELAY, Row, TWO_CORES, TWO_SERVERS};

/// Rows around one measurement of the baselines.
const BLOCK: usize = 4;

/// What is measured of the row at this place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    Capacity(usize),
    Half(usize),
}

impl Turn {
    pub fn place(self) -> usize {
        match self {
            Self::Capacity(place) | Self::Half(place) => place,
        }
    }
}

/// A round of each block: first the rows' capacities with those of the baselines between, then each at half load.
pub fn blocks(rows: &[&Row]) -> Vec<Vec<Turn>> {
    let (baselines, others): (Vec<_>, Vec<_>) =
        (0..rows.len()).partition(|&place| [FLOOR, RELAY].contains(&rows[place].name));
    if others.is_empty() {
        return vec![round(rows, &baselines, &[])];
    }
    others.chunks(BLOCK).map(|block| round(rows, &baselines, block)).collect()
}

fn round(rows: &[&Row], baselines: &[usize], block: &[usize]) -> Vec<Turn> {
    let (before, after) = block.split_at(block.len() / 2);
    let mut turns: Vec<_> =
        before.iter().chain(baselines).chain(after).map(|&place| Turn::Capacity(place)).collect();
    turns.extend(block.iter().chain(baselines).map(|&place| Turn::Half(place)));
    let place = |name| block.iter().copied().find(|place| rows[*place].name == name);
    if let (Some(servers), Some(cores)) = (place(TWO_SERVERS), place(TWO_CORES)) {
        turns.extend([servers, cores].map(Turn::Capacity));
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{KAMAILIO_STORED, ROWS, named};

    fn all() -> Vec<&'static Row> {
        ROWS.iter().collect()
    }

    /// Where in a round of its block the capacities of a row are measured, counted in capacities.
    fn places(turns: &[Turn], row: usize) -> Vec<usize> {
        let capacities = turns.iter().filter(|turn| matches!(turn, Turn::Capacity(_)));
        capacities.enumerate().filter(|(_, turn)| turn.place() == row).map(|(place, _)| place).collect()
    }

    fn place(name: &str) -> usize {
        ROWS.iter().position(|row| row.name == name).unwrap()
    }

    #[test]
    fn every_row_is_in_one_block_and_has_the_baselines_beside_it() {
        let blocks = blocks(&all());
        for (row, Row { name, .. }) in ROWS.iter().enumerate() {
            let halves =
                blocks.iter().map(|turns| turns.iter().filter(|turn| **turn == Turn::Half(row)).count());
            let halves: Vec<_> = halves.collect();
            if [FLOOR, RELAY].contains(name) {
                assert!(halves.iter().all(|count| *count == 1), "{name}");
                continue;
            }
            assert_eq!(halves.iter().sum::<usize>(), 1, "{name}");
            let turns = &blocks[halves.iter().position(|count| *count == 1).unwrap()];
            let own = places(turns, row)[0];
            for baseline in [FLOOR, RELAY] {
                let nearest = places(turns, place(baseline))[0].abs_diff(own);
                assert!(nearest <= 3, "{name} and {baseline}: {nearest}");
            }
        }
    }

    #[test]
    fn what_is_compared_stands_in_one_block() {
        let blocks = blocks(&all());
        let pairs = [
            ("lua", "reply"),
            ("kamailio-lua", "lua"),
            ("extensions-1k", "extensions-1"),
            ("extensions-10k", "extensions-1"),
            (KAMAILIO_STORED, "stored"),
            (TWO_CORES, TWO_SERVERS),
        ];
        for (one, other) in pairs {
            let [one, other] = [one, other].map(|name| Turn::Half(place(name)));
            assert!(blocks.iter().any(|turns| turns.contains(&one) && turns.contains(&other)), "{one:?}");
        }
    }

    #[test]
    fn the_half_follows_the_capacity() {
        for turns in blocks(&all()) {
            let at = |turn| turns.iter().position(|found| *found == turn);
            let halves = turns.iter().filter(|turn| matches!(turn, Turn::Half(_)));
            assert!(halves.map(|half| half.place()).all(|row| at(Turn::Capacity(row)) < at(Turn::Half(row))));
        }
    }

    #[test]
    fn the_closest_pair_has_turns_in_both_orders() {
        let blocks = blocks(&all());
        let turns = blocks.iter().find(|turns| turns.contains(&Turn::Half(place(TWO_CORES)))).unwrap();
        let [cores, servers] = [TWO_CORES, TWO_SERVERS].map(|name| places(turns, place(name)));
        let [[first, last], [second, third]] = [&cores[..], &servers[..]].map(|at| [at[0], at[1]]);
        assert_eq!((second - first, last - third), (1, 1), "{cores:?} {servers:?}");
        assert_eq!((cores.len(), servers.len()), (2, 2));
    }

    #[test]
    fn baselines_alone_and_rows_without_them() {
        let rows = |names: &[&str]| names.iter().map(|name| named(name).unwrap()).collect::<Vec<_>>();
        let both = [Turn::Capacity(0), Turn::Capacity(1), Turn::Half(0), Turn::Half(1)];
        assert_eq!(blocks(&rows(&[RELAY, FLOOR])), [both]);
        assert_eq!(blocks(&rows(&["lua", "tcp"])), [both]);
        assert_eq!(blocks(&rows(&[])), [[]]);
    }
}
