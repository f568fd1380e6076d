//! A hash table that forgets by itself.
//!
//! With timer J of 32 s a busy shard knows millions of requests, nearly all of which it is never asked for again. An entry says
//! until when it holds; after that its place is free, and nothing has to come back to it, when no cache has it any more, in
//! order to remove it. An entry lies in the line of the processor's cache that its hash names, or in one of the next where
//! that was full, so that to look for what is not there takes one access to memory.
//!
//! Many small tables grow one after the other, in microseconds each; one of that size would do nothing else for tens of
//! milliseconds.

/// Eighths of a second since some beginning: enough for 17 years.
pub(super) type Tick = u32;
/// Tables at most; a power of two.
const PARTS: usize = 1024;
/// So many entries in one table move in no time.
const FEW: usize = 1024;
/// A table takes its line from the lowest bits of a hash; these choose the table.
const SHIFT: u32 = 40;
/// Lines that are tried for one entry before the table grows.
const REACH: usize = 16;
/// So many lines are kept when nothing is left in them.
const KEPT: usize = 16 * 1024;

/// What an entry is found by: some words of a hash whose bits all depend on a secret.
pub(super) type Words<const W: usize> = [u32; W];

#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Entry<V, const W: usize> {
    /// The first tick at which it no longer holds.
    until: Tick,
    words: Words<W>,
    value: V,
}

/// As long as a line of the cache, see the tests.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line<V, const W: usize, const N: usize> {
    /// Until when there may be an entry further on which did not find a place here.
    beyond: Tick,
    entries: [Entry<V, W>; N],
}

/// Entries of `W` words, `N` of them in a line.
#[derive(Debug)]
pub(super) struct Remembered<V, const W: usize, const N: usize> {
    parts: Box<[Part<V, W, N>]>,
}

/// One table. The number of lines is a power of two, or none.
#[derive(Debug)]
struct Part<V, const W: usize, const N: usize> {
    lines: Vec<Line<V, W, N>>,
}

impl<V: Copy + Default, const W: usize, const N: usize> Remembered<V, W, N> {
    /// For about so many entries: where they are few, one table will do.
    pub(super) fn for_most(entries: usize) -> Self {
        let parts = (entries / FEW).clamp(1, PARTS).next_power_of_two();
        Self { parts: (0..parts).map(|_| Part { lines: Vec::new() }).collect() }
    }

    fn part_of(&self, words: &Words<W>) -> usize {
        (hash(words) >> SHIFT) as usize & (self.parts.len() - 1)
    }

    fn part(&self, words: &Words<W>) -> &Part<V, W, N> {
        &self.parts[self.part_of(words)]
    }

    fn part_mut(&mut self, words: &Words<W>) -> &mut Part<V, W, N> {
        let part = self.part_of(words);
        &mut self.parts[part]
    }

    /// The value of an entry that holds at `now`.
    pub(super) fn find(&self, now: Tick, words: &Words<W>) -> Option<V> {
        let part = self.part(words);
        part.find(now, words).map(|(line, place)| part.lines[line].entries[place].value)
    }

    /// Touches the place of an entry, so that what is done next finds the memory in the cache. A loop of these waits for many
    /// places at once, as none depends on another.
    pub(super) fn bring_near(&self, words: &Words<W>) {
        let part = self.part(words);
        std::hint::black_box(part.lines.get(part.home(words)).is_some_and(|line| line.beyond == Tick::MAX));
    }

    /// Adds an entry that is not there yet.
    pub(super) fn insert(&mut self, now: Tick, words: Words<W>, until: Tick, value: V) {
        self.part_mut(&words).insert(now, Entry { until, words, value });
    }

    /// Gives an entry that holds another value and end; with `until` 0 it is gone.
    pub(super) fn change(&mut self, now: Tick, words: &Words<W>, until: Tick, value: V) {
        self.part_mut(words).change(now, words, until, value);
    }

    pub(super) fn remove(&mut self, now: Tick, words: &Words<W>) {
        self.change(now, words, 0, V::default());
    }

    /// Gives back what a storm took; for when nothing in it holds any longer.
    pub(super) fn settle(&mut self) {
        if self.lines() > KEPT {
            self.parts.iter_mut().for_each(|part| part.lines = Vec::new());
        }
    }

    fn lines(&self) -> usize {
        self.parts.iter().map(|part| part.lines.len()).sum()
    }
}

impl<V: Copy + Default, const W: usize, const N: usize> Part<V, W, N> {
    /// Also the number of the last line.
    fn mask(&self) -> usize {
        self.lines.len().wrapping_sub(1)
    }

    /// The line where an entry is looked for first.
    fn home(&self, words: &Words<W>) -> usize {
        hash(words) as usize & self.mask()
    }

    /// The lines from one on that an entry may be in.
    fn window(&self, line: usize) -> impl Iterator<Item = usize> + use<V, W, N> {
        let mask = self.mask();
        (0..self.lines.len().min(REACH)).map(move |step| (line + step) & mask)
    }

    fn find(&self, now: Tick, words: &Words<W>) -> Option<(usize, usize)> {
        for at in self.window(self.home(words)) {
            let line = &self.lines[at];
            let is_it = |entry: &Entry<V, W>| entry.until > now && entry.words == *words;
            if let Some(place) = line.entries.iter().position(is_it) {
                return Some((at, place));
            }
            if line.beyond <= now {
                break;
            }
        }
        None
    }

    fn insert(&mut self, now: Tick, entry: Entry<V, W>) {
        while !self.put(now, entry) {
            self.grow(now);
        }
    }

    /// Whether there was a place for it.
    fn put(&mut self, now: Tick, entry: Entry<V, W>) -> bool {
        let home = self.home(&entry.words);
        for at in self.window(home) {
            if let Some(place) = self.lines[at].entries.iter_mut().find(|entry| entry.until <= now) {
                *place = entry;
                self.pass(home, at, entry.until);
                return true;
            }
        }
        false
    }

    /// An entry that ends then went past the lines between.
    fn pass(&mut self, home: usize, line: usize, until: Tick) {
        for passed in self.window(home).take_while(|at| *at != line) {
            self.lines[passed].beyond = self.lines[passed].beyond.max(until);
        }
    }

    fn grow(&mut self, now: Tick) {
        let nothing = Entry { until: 0, words: [0; W], value: V::default() };
        let more = vec![Line { beyond: 0, entries: [nothing; N] }; (self.lines.len() * 2).max(1)];
        for line in std::mem::replace(&mut self.lines, more) {
            for entry in line.entries {
                if entry.until > now {
                    self.insert(now, entry);
                }
            }
        }
    }

    fn change(&mut self, now: Tick, words: &Words<W>, until: Tick, value: V) {
        let Some((line, place)) = self.find(now, words) else { return };
        let entry = &mut self.lines[line].entries[place];
        (entry.until, entry.value) = (until, value);
        self.pass(self.home(words), line, until);
    }
}

fn hash<const W: usize>(words: &Words<W>) -> u64 {
    u64::from(words[0]) | u64::from(words[1]) << 32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Table = Remembered<u32, 3, 3>;

    /// The finalizer of MurmurHash3: every bit depends on every other.
    fn words(number: u64) -> Words<3> {
        let mixed = (number ^ number >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let mixed = (mixed ^ mixed >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        let mixed = mixed ^ mixed >> 33;
        [mixed as u32, (mixed >> 32) as u32, number as u32]
    }

    #[test]
    fn a_line_of_requests_and_one_of_copies_are_lines_of_the_cache() {
        assert_eq!((size_of::<Line<u32, 3, 3>>(), size_of::<Line<(), 2, 5>>()), (64, 64));
    }

    #[test]
    fn what_holds_is_found_and_nothing_else() {
        for most in [0, 5_000, 2_000_000] {
            let mut table = Table::for_most(most);
            for number in 0..100_000 {
                table.insert(0, words(number), 9, 0);
                table.change(0, &words(number), 1 + number as u32 % 2, number as u32);
            }
            let holds = |now, number: u64| table.find(now, &words(number)) == Some(number as u32);
            assert!((0..100_000).all(|number| holds(0, number)), "{most}");
            assert!((0..100_000).all(|number| holds(1, number) == (number % 2 == 1)), "{most}");
            assert!((0..100_000).all(|number| !holds(2, number)), "{most}");
            assert!(!holds(0, 100_000));
        }
    }

    #[test]
    fn as_much_again_as_has_ended_takes_no_more_room() {
        let mut table = Table::for_most(2_000_000);
        let mut lines = Vec::new();
        for now in 0..50 {
            for number in 0..20_000 {
                let words = words(u64::from(now) * 20_000 + number);
                table.insert(now, words, now + 20, 0);
                table.change(now, &words, now + 10, 0);
            }
            lines.push(table.lines());
        }
        assert!(lines[49] < lines[9] * 5 / 4, "{lines:?}");
        let octets = lines[49] * 64 / 200_000;
        assert!((21..=50).contains(&octets), "{octets} for one entry");
        table.settle();
        assert_eq!(table.lines(), 0);
        assert_eq!(table.find(0, &words(1)), None);
    }

    #[test]
    fn no_table_is_large() {
        let mut table = Table::for_most(2_000_000);
        (0..1_000_000).for_each(|number| table.insert(0, words(number), 1, 0));
        let most = table.parts.iter().map(|part| part.lines.len()).max().unwrap_or_default();
        assert!(most <= 2048, "{most}");
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Insert(Tick),
        Change(Tick),
        Wait(Tick),
    }

    fn step() -> impl Strategy<Value = (u64, Step)> {
        let what = prop_oneof![
            4 => (1..40_u32).prop_map(Step::Insert),
            4 => (0..40_u32).prop_map(Step::Change),
            1 => (0..9_u32).prop_map(Step::Wait),
        ];
        (0..200_u64, what)
    }

    proptest! {
        /// Where all share few lines, so that most are not where they are looked for first.
        #[test]
        fn it_holds_what_a_map_holds(steps in prop::collection::vec(step(), 1..300)) {
            let crowded = |number: u64| [number as u32 % 3, 0, number as u32];
            let (mut table, mut map) = (Table::for_most(0), BTreeMap::new());
            let mut now = 1;
            for (number, step) in steps {
                let held = map.get(&number).is_some_and(|until| *until > now);
                match step {
                    Step::Insert(more) if map.values().filter(|until| **until > now).count() < 40 && !held => {
                        table.insert(now, crowded(number), now + more, number as u32);
                        map.insert(number, now + more);
                    }
                    Step::Change(more) if held => {
                        let until = if more == 0 { 0 } else { now + more };
                        table.change(now, &crowded(number), until, number as u32);
                        map.insert(number, until);
                    }
                    Step::Wait(ticks) => now += ticks,
                    Step::Insert(_) | Step::Change(_) => {}
                }
                for number in 0..200 {
                    let value = map.get(&number).filter(|until| **until > now).map(|_| number as u32);
                    prop_assert_eq!(table.find(now, &crowded(number)), value);
                }
            }
        }
    }
}
