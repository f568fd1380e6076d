//! Log lines that a peer can cause: one a second, however many causes there are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// One kind of line.
pub struct Complaints {
    since: Instant,
    /// Milliseconds since `since` before which nothing is said.
    quiet_until: AtomicU64,
    untold: AtomicU64,
}

const PAUSE_MILLIS: u64 = 1000;

impl Complaints {
    pub fn new() -> Self {
        Self { since: Instant::now(), quiet_until: AtomicU64::new(0), untold: AtomicU64::new(0) }
    }

    /// Says it, with the number of times it was not said since the last time, unless it was said just before.
    pub fn say(&self, say: impl FnOnce(u64)) {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.say_at(now, say);
    }

    fn say_at(&self, now: u64, say: impl FnOnce(u64)) {
        let next = |until: u64| (until <= now).then_some(now.saturating_add(PAUSE_MILLIS));
        match self.quiet_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(_) => say(self.untold.swap(0, Ordering::Relaxed)),
            Err(_) => drop(self.untold.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_tells_of_the_others() {
        let complaints = Complaints::new();
        let mut told = Vec::new();
        for now in [0, 10, 999, 1000, 1001, 5000] {
            complaints.say_at(now, |untold| told.push((now, untold)));
        }
        assert_eq!(told, [(0, 0), (1000, 2), (5000, 1)]);
    }
}
