use std::time::Duration;

use chappe_event::Clock;
use chappe_store::Micros;
use tokio::time::Instant;

/// The wall clock as it stood at the start, carried on by a clock that nobody steps: a machine whose clock is set by a day
/// neither drops what has days to live nor holds back what is due.
pub(super) struct SteadyClock {
    wall: Micros,
    start: Instant,
}

impl SteadyClock {
    pub fn start(clock: &dyn Clock) -> Self {
        Self { wall: clock.unix_micros(), start: Instant::now() }
    }

    pub fn now(&self) -> Micros {
        self.wall.saturating_add(micros(self.start.elapsed()))
    }
}

pub(super) fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}
