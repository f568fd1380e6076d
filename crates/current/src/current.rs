//! A value that is replaced as a whole.

use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::{ArcSwap, Guard};

use crate::turn;

/// Each version of each value has a number of its own.
static VERSIONS: AtomicU64 = AtomicU64::new(1);
/// Each value has one.
static NUMBERS: AtomicUsize = AtomicUsize::new(0);

/// A value that is read often and replaced rarely. Reading never blocks, and neither does replacing.
pub struct Current<T> {
    value: ArcSwap<T>,
    /// Changes after `value` did: who reads this first reads no value that is older.
    version: AtomicU64,
    number: usize,
}

/// What a [`Current`] was when it was read. It belongs to the thread that read it: for what takes longer,
/// [`Current::load_full`].
pub struct Loaded<T>(Held<T>);

#[expect(clippy::redundant_allocation, reason = "counting by an Arc takes locked instructions")]
enum Held<T> {
    /// It is what the turn knows.
    Known(Rc<Arc<T>>),
    Read(Guard<Arc<T>>),
}

impl<T: Send + Sync + 'static> Current<T> {
    pub fn new(value: T) -> Self {
        Self {
            value: ArcSwap::from_pointee(value),
            version: AtomicU64::new(VERSIONS.fetch_add(1, Ordering::Relaxed)),
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The value of now.
    #[inline]
    pub fn load(&self) -> Loaded<T> {
        let version = self.version.load(Ordering::Acquire);
        Loaded(match turn::known(self.number, version) {
            Some(known) => Held::Known(known),
            None => self.read(version),
        })
    }

    #[cold]
    fn read(&self, version: u64) -> Held<T> {
        match turn::remember(self.number, version, || self.value.load_full()) {
            Some(known) => Held::Known(known),
            None => Held::Read(self.value.load()),
        }
    }

    /// The value of now, to keep.
    pub fn load_full(&self) -> Arc<T> {
        self.value.load_full()
    }

    /// Replaces the value.
    pub fn store(&self, value: Arc<T>) {
        self.value.store(value);
        self.is_new();
    }

    /// Replaces the value by what `change` makes of it; it is asked again where somebody else was quicker.
    pub fn change(&self, mut change: impl FnMut(&T) -> T) {
        self.value.rcu(|value| change(value));
        self.is_new();
    }

    fn is_new(&self) {
        self.version.store(VERSIONS.fetch_add(1, Ordering::Relaxed), Ordering::Release);
    }
}

impl<T: Default + Send + Sync + 'static> Default for Current<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Deref for Loaded<T> {
    type Target = Arc<T>;

    #[inline]
    fn deref(&self) -> &Arc<T> {
        match &self.0 {
            Held::Known(known) => known,
            Held::Read(guard) => guard,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_turn_reads_a_value_once_and_again_when_it_is_replaced() {
        let (one, other) = (Current::new(1), Current::new(10));
        let _turn = turn::turn();
        let first = one.load();
        // The turn's own and that of the value.
        assert_eq!((**first, Arc::strong_count(&first)), (1, 2));
        assert_eq!((**one.load(), Arc::strong_count(&first)), (1, 2));
        one.store(Arc::new(2));
        assert_eq!((**first, **one.load(), **other.load()), (1, 2, 10));
        one.change(|value| value + 1);
        assert_eq!(**one.load(), 3);
    }

    #[test]
    fn the_end_of_a_turn_lets_go_of_what_was_replaced() {
        let current = Current::new(String::from("before"));
        let before = Arc::downgrade(&current.load_full());
        let turns = (turn::turn(), turn::turn());
        assert_eq!(**current.load(), "before");
        current.store(Arc::new(String::from("after")));
        drop(turns.0);
        assert!(before.upgrade().is_some());
        drop(turns.1);
        assert!(before.upgrade().is_none());
        assert_eq!(**current.load(), "after");
    }

    #[test]
    fn more_values_than_places_are_read_all_the_same() {
        let all: Vec<_> = (0..200).map(Current::new).collect();
        let _turn = turn::turn();
        for _ in 0..2 {
            assert!(all.iter().enumerate().all(|(number, current)| **current.load() == number));
        }
    }

    #[test]
    fn what_a_value_drops_may_read_others() {
        struct Reads(Arc<Current<u8>>);
        impl Drop for Reads {
            fn drop(&mut self) {
                assert_eq!(**self.0.load(), 7);
            }
        }
        let other = Arc::new(Current::new(7));
        let current = Current::new(Some(Reads(other)));
        let turn = turn::turn();
        assert!(current.load().is_some());
        current.store(Arc::new(None));
        assert!(current.load().is_none());
        current.store(Arc::new(Some(Reads(Arc::new(Current::new(7))))));
        assert!(current.load().is_some());
        current.store(Arc::new(None));
        drop(turn);
    }

    /// Whoever was told of a value reads it or a later one, in whatever turn.
    #[test]
    fn who_was_told_sees() {
        const LAST: u64 = 20_000;
        let (current, told) = (Current::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut seen = 0;
                    while seen < LAST {
                        let _turn = turn::turn();
                        for _ in 0..10 {
                            let least = told.load(Ordering::Acquire);
                            let now = **current.load();
                            assert!(now >= least && now >= seen, "{now}, told {least}, seen {seen}");
                            seen = now;
                        }
                    }
                });
            }
            for number in 1..=LAST {
                current.store(Arc::new(number));
                told.store(number, Ordering::Release);
            }
        });
    }
}
