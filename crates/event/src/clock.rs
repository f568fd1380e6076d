//! Time, handed in.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::tz::TimeZone;

/// Where the time comes from. Whoever needs the time takes one of these, so that tests turn it by hand.
pub trait Clock: Send + Sync {
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    fn unix_micros(&self) -> i64;

    /// The zone in which local times are written and date conditions are judged.
    fn zone(&self) -> &TimeZone;
}

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
    zone: TimeZone,
}

impl ManualClock {
    /// A clock in UTC that shows `unix_micros`.
    pub fn at(unix_micros: i64) -> Self {
        Self::in_zone(unix_micros, TimeZone::UTC)
    }

    /// A clock in `zone` that shows `unix_micros`.
    pub fn in_zone(unix_micros: i64, zone: TimeZone) -> Self {
        Self { micros: AtomicI64::new(unix_micros), zone }
    }

    /// Moves the clock on by `micros` microseconds.
    pub fn advance(&self, micros: i64) {
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Makes the clock show `unix_micros`.
    pub fn set(&self, unix_micros: i64) {
        self.micros.store(unix_micros, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn unix_micros(&self) -> i64 {
        self.micros.load(Ordering::Relaxed)
    }

    fn zone(&self) -> &TimeZone {
        &self.zone
    }
}
