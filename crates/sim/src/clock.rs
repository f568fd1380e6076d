use std::time::{Duration, Instant};

/// Virtual time: it stands still until a test moves it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    now: Instant,
}

impl Clock {
    /// A clock that starts at an arbitrary instant.
    #[expect(
        clippy::disallowed_methods,
        reason = "an Instant has no constructor; only differences to this one are used"
    )]
    pub fn new() -> Self {
        let started = Instant::now();
        Self { started, now: started }
    }

    /// The virtual time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The virtual time since the start.
    pub fn elapsed(&self) -> Duration {
        self.now - self.started
    }

    /// Moves on by `step`.
    pub fn advance(&mut self, step: Duration) {
        self.now += step;
    }

    /// Moves on to `at`; time never goes backwards, so an earlier instant changes nothing.
    pub fn advance_to(&mut self, at: Instant) {
        self.now = self.now.max(at);
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_moves_only_forwards_and_only_when_told() {
        let mut clock = Clock::new();
        let start = clock.now();
        clock.advance(Duration::from_secs(2));
        clock.advance_to(start);
        assert_eq!(clock.elapsed(), Duration::from_secs(2));
        clock.advance_to(start + Duration::from_secs(5));
        assert_eq!(clock.now() - start, Duration::from_secs(5));
    }
}
