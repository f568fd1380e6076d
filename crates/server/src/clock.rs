//! The machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use chappe_event::Clock;
use jiff::tz::TimeZone;

/// The time of day, in the zone of `TZ` or /etc/localtime as it was at start.
pub struct SystemClock {
    zone: TimeZone,
}

impl SystemClock {
    pub fn new() -> Self {
        Self { zone: TimeZone::system() }
    }
}

impl Clock for SystemClock {
    fn unix_micros(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }

    fn zone(&self) -> &TimeZone {
        &self.zone
    }
}
