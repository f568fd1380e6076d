//! Whether requests have been waiting for so long that it is no burst.

use std::time::{Duration, Instant};

/// Requests that always wait this long stand in a queue that is no burst. RFC 8289 §3.2.
const INTERVAL: Duration = Duration::from_millis(100);
/// In such a queue a request may wait for this part of the longest time.
const STANDING: u32 = 5;

/// How long the requests have waited lately.
pub struct Queue {
    pub is_standing: bool,
    /// The shortest time since the interval began.
    least: Duration,
    until: Instant,
}

impl Queue {
    pub fn new(now: Instant) -> Self {
        Self { is_standing: false, least: Duration::ZERO, until: now }
    }

    /// How long a request may wait. After a while in which all waited long the longest time is for bursts alone.
    pub fn limit(&mut self, now: Instant, waited: Duration, most: Duration) -> Duration {
        let short = most / STANDING;
        self.least = self.least.min(waited);
        if now >= self.until {
            let enough = if self.is_standing { short / 2 } else { short };
            // Nobody waits in a queue that nobody has read from.
            let is_old = now >= self.until + INTERVAL;
            self.is_standing = self.least > enough && !is_old;
            (self.least, self.until) = (waited, now + INTERVAL);
        }
        if self.is_standing { short } else { most }
    }
}
