//! How much of the time refusals may still take.

use std::time::{Duration, Instant};

use super::SHARE;

/// The time for refusals that may be saved up.
const SAVED: Duration = Duration::from_millis(10);

/// The time there is for refusals.
pub struct Budget {
    /// Nanoseconds; less than nothing after a read that took longer than there was time for.
    left: i64,
    at: Instant,
}

impl Budget {
    pub fn new(now: Instant) -> Self {
        Self { left: nanos(SAVED), at: now }
    }

    pub fn earn(&mut self, now: Instant) {
        let time = now.saturating_duration_since(self.at).mul_f64(SHARE);
        self.left = self.left.saturating_add(nanos(time)).min(nanos(SAVED));
        self.at = self.at.max(now);
    }

    pub fn spend(&mut self, seconds: f64) {
        self.left = (self.left - (seconds * 1e9) as i64).max(-nanos(SAVED));
    }

    pub fn is_spent(&self) -> bool {
        self.left <= 0
    }
}

fn nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}
