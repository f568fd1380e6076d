//! A hash table that never stops to move all it holds.
//!
//! Where devices are slow to answer, a shard waits for very many of them. One table of that size moves them all when it grows, and
//! when removed ones have left too many marks: milliseconds in which nothing else happens. Many small tables move theirs one after
//! the other, microseconds each.

use hashbrown::HashTable;

/// Tables at most; a power of two.
const PARTS: usize = 1024;
/// So many values in one table move in no time.
const FEW: usize = 1024;
/// A table takes its buckets from the lowest bits of a hash and marks from the highest; those in between choose the table.
const SHIFT: u32 = 40;

#[derive(Debug)]
pub(super) struct Index<T> {
    parts: Box<[HashTable<T>]>,
}

impl<T> Index<T> {
    /// For about so many values: where they are few, one table will do.
    pub(super) fn for_most(values: usize) -> Self {
        let parts = (values / FEW).clamp(1, PARTS).next_power_of_two();
        Self { parts: (0..parts).map(|_| HashTable::new()).collect() }
    }

    /// The table of a hash: there is a power of two of them.
    fn part(&self, hash: u64) -> usize {
        (hash >> SHIFT) as usize & (self.parts.len() - 1)
    }

    pub(super) fn find(&self, hash: u64, is_it: impl FnMut(&T) -> bool) -> Option<&T> {
        self.parts[self.part(hash)].find(hash, is_it)
    }

    pub(super) fn remove(&mut self, hash: u64, is_it: impl FnMut(&T) -> bool) {
        let part = self.part(hash);
        if let Ok(entry) = self.parts[part].find_entry(hash, is_it) {
            entry.remove();
        }
    }

    /// Adds what is not there yet. `hash_of` tells the hash of what is.
    pub(super) fn insert_unique(&mut self, hash: u64, value: T, hash_of: impl Fn(&T) -> u64) {
        let part = self.part(hash);
        self.parts[part].insert_unique(hash, value, hash_of);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The finalizer of MurmurHash3: every bit depends on every other.
    fn hash(number: &u64) -> u64 {
        let mixed = (number ^ number >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let mixed = (mixed ^ mixed >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        mixed ^ mixed >> 33
    }

    #[test]
    fn what_was_added_is_found_until_it_is_removed() {
        [0, 5_000, 2_000_000].into_iter().for_each(check);
    }

    /// With room for `most`; more than that are found as well.
    fn check(most: usize) {
        let mut index = Index::for_most(most);
        let numbers = 0..100_000;
        for number in numbers.clone() {
            index.insert_unique(hash(&number), number, hash);
        }
        let holds =
            |index: &Index<u64>, number: u64| index.find(hash(&number), |one| *one == number).is_some();
        assert!(numbers.clone().all(|number| holds(&index, number)));
        assert!(!holds(&index, 100_000));
        for number in numbers.clone().step_by(2) {
            index.remove(hash(&number), |one| *one == number);
            index.remove(hash(&number), |one| *one == number);
        }
        assert_eq!(index.parts.iter().map(HashTable::len).sum::<usize>(), 50_000);
        assert!(numbers.clone().all(|number| holds(&index, number) == (number % 2 == 1)));
    }

    #[test]
    fn no_table_is_large() {
        let mut index = Index::for_most(2_000_000);
        (0..1_000_000).for_each(|number| index.insert_unique(hash(&number), number, hash));
        let most = index.parts.iter().map(HashTable::len).max().unwrap_or_default();
        assert!(most < 2 * 1_000_000 / PARTS, "{most}");
    }
}
