//! How many requests come, and what serving and refusing them costs: how many there is time for.

use std::time::Instant;

use super::{Fate, Read, WINDOW};

/// Requests that tell what one costs.
const BATCHES: i64 = 64;

/// What came since the last look.
pub struct Window {
    pub began: Instant,
    /// When the sieve was last changed: what waited then says nothing of it.
    pub sifted: Instant,
    /// Requests that came since then, and when the first and the last read of them came; those of the last are not counted.
    came: i64,
    first: Option<(Instant, Instant)>,
    last: i64,
    /// Whether something was read that had come before.
    is_old: bool,
    /// Whether there was always more to read.
    pub is_busy: bool,
    /// Whether some had waited too long.
    pub is_late: bool,
    served: i64,
    refused: i64,
}

impl Window {
    pub fn new(began: Instant, sifted: Instant) -> Self {
        Self {
            began,
            sifted,
            came: 0,
            first: None,
            last: 0,
            is_old: false,
            is_busy: true,
            is_late: false,
            served: 0,
            refused: 0,
        }
    }

    /// A read, all of which is served unless [`is_not_served`](Self::is_not_served) says otherwise.
    pub fn read(&mut self, came: Instant, read: Read) {
        self.is_busy &= read.is_full;
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

    /// Requests that come in a second, if it is known.
    pub fn rate(&self, now: Instant) -> Option<f64> {
        let span = match self.first {
            Some((first, last)) if self.is_busy => last - first,
            // Nothing waits.
            _ if !self.is_old => now - self.began,
            _ => return None,
        };
        let count = if self.is_busy { self.came } else { self.came + self.last };
        (span >= WINDOW / 4).then(|| count.max(1) as f64 / span.as_secs_f64())
    }
}

/// What requests cost, in seconds.
#[derive(Default)]
pub struct Costs {
    serving: Option<f64>,
    refusing: Option<f64>,
}

impl Costs {
    /// What refusing costs is what serving leaves of the time: most of it is the system's, in reading and sending, and can't
    /// be told apart.
    pub fn learn(&mut self, window: &Window, now: Instant) {
        if !window.is_busy || window.served + window.refused < BATCHES {
            return;
        }
        let time = (now - window.began).as_secs_f64();
        match self.serving {
            Some(serving) if window.refused > BATCHES => {
                let left = time - window.served as f64 * serving;
                let cost = left / window.refused as f64;
                adapt(&mut self.refusing, cost.clamp(serving / 20.0, serving / 2.0));
            }
            _ if window.refused == 0 => adapt(&mut self.serving, time / window.served as f64),
            _ => {}
        }
    }

    /// Requests a second of which all are served or refused, the refusals in one part in so many of the time.
    pub fn sustained(&self, share: u32) -> Option<f64> {
        let share = 1.0 / f64::from(share);
        let serving = self.serving?;
        Some((1.0 - share) / serving + share / self.refusing.unwrap_or(serving / 4.0))
    }
}

fn adapt(known: &mut Option<f64>, seen: f64) {
    *known = Some(known.map_or(seen, |known| known * 0.95 + seen * 0.05));
}
