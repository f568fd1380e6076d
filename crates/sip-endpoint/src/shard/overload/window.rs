//! How many requests came in a while, and what became of them.

use std::time::Instant;

use super::costs::Work;
use super::{Fate, Read, WINDOW};

/// Requests that tell what one costs.
const ENOUGH: i64 = 64;

/// What came since the last look.
pub struct Window {
    pub began: Instant,
    /// When the sieve was last changed: what waited then says nothing of it.
    pub sifted: Instant,
    /// Requests that came since then, and when the first and the last read of them came; those of the last are not counted.
    came: i64,
    first: Option<(Instant, Instant)>,
    last: i64,
    /// When the first of all that was read came; before it there may have been nothing to do.
    since: Option<Instant>,
    /// Whether something was read that had come before.
    is_old: bool,
    /// Whether there was more to read each time.
    is_full: bool,
    /// Whether some had waited too long.
    pub is_late: bool,
    served: i64,
    refused: i64,
    /// Of both, those that may have been dropped before.
    doubtful: i64,
}

impl Window {
    pub fn new(began: Instant, sifted: Instant) -> Self {
        Self {
            began,
            sifted,
            came: 0,
            first: None,
            last: 0,
            since: None,
            is_old: false,
            is_full: true,
            is_late: false,
            served: 0,
            refused: 0,
            doubtful: 0,
        }
    }

    /// A read, all of which is served unless [`is_not_served`](Self::is_not_served) says otherwise.
    pub fn read(&mut self, came: Instant, read: Read) {
        self.is_full &= read.is_full;
        self.since.get_or_insert(came.max(self.began));
        self.served += read.count as i64;
        self.came += std::mem::replace(&mut self.last, 0);
        if came < self.sifted {
            self.is_old = true;
            return;
        }
        self.last = read.count as i64;
        self.first = Some((self.first.map_or(came, |(first, _)| first), came));
    }

    pub fn is_not_served(&mut self, fate: Fate) {
        match fate {
            Fate::Serve => return,
            Fate::Refuse => self.refused += 1,
            // What came was there before it was sifted.
            Fate::Drop => self.last -= 1,
        }
        self.served -= 1;
    }

    /// Whether there was always more to read.
    pub fn is_busy(&self) -> bool {
        self.is_full && self.since.is_some()
    }

    pub fn is_doubtful(&mut self) {
        self.doubtful += 1;
    }

    /// What was done, if it is enough to tell what it cost.
    pub fn work(&self, now: Instant) -> Option<Work> {
        (self.served + self.refused >= ENOUGH).then(|| Work {
            served: self.served as f64,
            refused: self.refused as f64,
            took: (now - self.since.unwrap_or(self.began)).as_secs_f64(),
            is_all: self.is_busy(),
        })
    }

    /// The part of what came that was certainly not dropped before, more than nothing.
    pub fn sure(&self) -> f64 {
        let count = (self.served + self.refused).max(1);
        (count - self.doubtful).max(1) as f64 / count as f64
    }

    /// Requests that come in a second, if it is known.
    pub fn rate(&self, now: Instant) -> Option<f64> {
        let span = match self.first {
            Some((first, last)) if self.is_busy() => last - first,
            // Nothing waits.
            _ if !self.is_old => now - self.began,
            _ => return None,
        };
        let count = if self.is_busy() { self.came } else { self.came + self.last };
        (span >= WINDOW / 4).then(|| count.max(1) as f64 / span.as_secs_f64())
    }
}
