use std::time::Duration;

/// Which of a user's devices get a message that had to be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OfflineCopy {
    /// The first that takes it.
    #[default]
    First,
    /// Each that comes before the message runs out.
    EveryDevice,
}

/// What `sms.conf` decides for messages that are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueSettings {
    /// How long a message is kept whose sender says nothing of it.
    pub ttl: Duration,
    /// How long a finished message is remembered.
    pub history: Duration,
    /// The times between attempts at a recipient that can be reached and does not take its messages; the last repeats.
    pub retry: Vec<Duration>,
    pub copies: OfflineCopy,
    /// Messages that may wait for one recipient.
    pub max_per_user: u64,
    /// Messages of one sender that may wait, counted from the start of the server.
    pub max_per_sender: u64,
    /// Messages that may wait in all.
    pub max_in_all: u64,
    /// How long a sender's Message-ID is remembered.
    pub window: Duration,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(7 * 86_400),
            history: Duration::from_secs(86_400),
            retry: [30, 60, 120, 300, 900, 1800, 3600].map(Duration::from_secs).to_vec(),
            copies: OfflineCopy::First,
            max_per_user: 1000,
            max_per_sender: 100_000,
            max_in_all: 5_000_000,
            window: Duration::from_secs(300),
        }
    }
}

impl QueueSettings {
    /// How long to wait after so many failed attempts in a row, 1 for the first. `dice` spreads it by a tenth either way, so
    /// that what failed together is not tried together.
    pub(super) fn pause(&self, failures: u32, dice: f64) -> Duration {
        let place = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
        let pause = self.retry.get(place).or(self.retry.last()).copied().unwrap_or(Duration::from_secs(60));
        pause.mul_f64(0.9 + 0.2 * dice.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_last_and_are_spread() {
        let settings =
            QueueSettings { retry: [10, 20].map(Duration::from_secs).to_vec(), ..Default::default() };
        let pauses = [1, 2, 3, 99].map(|failures| settings.pause(failures, 0.5).as_secs());
        assert_eq!(pauses, [10, 20, 20, 20]);
        assert_eq!(settings.pause(1, 0.0), Duration::from_secs(9));
        assert_eq!(settings.pause(1, 1.0), Duration::from_secs(11));
    }
}
