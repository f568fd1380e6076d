use std::time::Duration;

/// The durations of RFC 3261 §17.1.1.1 and §17.1.2.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// The round trip one hopes for; the first interval between retransmissions.
    pub t1: Duration,
    /// How long a transaction is tried: timers F, H and J. RFC 3261 says 64 times T1.
    pub t1x64: Duration,
    /// The longest interval between retransmissions.
    pub t2: Duration,
    /// How long a message can linger in the network: timer I. Timer K needs no time: an answer
    /// that comes again is known by its branch.
    pub t4: Duration,
}

/// A timer of no length would fire forever.
const SHORTEST: Duration = Duration::from_millis(1);

impl Default for Timing {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t1x64: Duration::from_secs(32),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
        }
    }
}

impl Timing {
    /// The intervals of timer E on their way from T1 to T2, both included.
    pub(super) fn intervals(&self) -> Vec<Duration> {
        let t2 = self.t2.max(SHORTEST);
        let mut intervals = vec![self.t1.clamp(SHORTEST, t2)];
        while let Some(last) = intervals.last().copied().filter(|last| *last < t2) {
            intervals.push((last * 2).min(t2));
        }
        intervals
    }

    /// How long a client's timer E takes until it is reset to T2, RFC 4320 §4.1.
    pub(super) fn until_t2(&self) -> Duration {
        let intervals = self.intervals();
        intervals.iter().take(intervals.len() - 1).sum()
    }
}

/// What one shard's transactions may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Server transactions, finished ones included; a new request beyond them is refused with 503.
    pub servers: usize,
    /// Requests that wait for their answer; a request beyond them ends at once as [`ClientEnd::TooMany`].
    ///
    /// [`ClientEnd::TooMany`]: crate::ClientEnd::TooMany
    pub clients: usize,
    /// Bytes of answers that can't be made again from a retransmission, because they have headers or a body of their
    /// own. An answer beyond them is not kept: the retransmission of a challenged request is challenged anew, any other
    /// gets the status without those headers.
    pub kept_bytes: usize,
    /// Answers to datagrams go to the port they came from, also where the Via asks for no `rport` (RFC 3581).
    pub force_rport: bool,
    /// The timers' durations.
    pub timing: Timing,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            servers: 4_000_000,
            clients: 200_000,
            kept_bytes: 64 << 20,
            force_rport: false,
            timing: Timing::default(),
        }
    }
}

/// What happened since the start; for metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Requests that made a server transaction.
    pub requests: u64,
    /// Requests that came again.
    pub retransmissions: u64,
    /// Requests that reached us by two ways, answered 482.
    pub merged: u64,
    /// Requests refused with 503, for there were too many.
    pub refused: u64,
    /// Server transactions that ended because nobody answered them in time.
    pub unanswered: u64,
    /// Answers that were not kept because [`Limits::kept_bytes`] was reached.
    pub not_kept: u64,
    /// Requests sent.
    pub sent: u64,
    /// Requests sent again by timer E.
    pub resent: u64,
    /// Requests sent that nobody answered.
    pub timed_out: u64,
    /// Requests that could not be sent because [`Limits::clients`] was reached.
    pub not_sent: u64,
    /// Responses and ACKs that belong to nothing.
    pub stray: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timer_e_reaches_t2_after_three_and_a_half_seconds() {
        let timing = Timing::default();
        let millis: Vec<_> = timing.intervals().iter().map(Duration::as_millis).collect();
        assert_eq!(millis, [500, 1000, 2000, 4000]);
        assert_eq!(timing.until_t2(), Duration::from_millis(3500));
    }

    #[test]
    fn odd_durations_still_make_a_ladder() {
        for (t1, t2, want) in [
            (300, 1000, vec![300, 600, 1000]),
            (4, 4, vec![4]),
            (9, 4, vec![4]),
            (0, 2, vec![1, 2]),
            (0, 0, vec![1]),
        ] {
            let [t1, t2] = [t1, t2].map(Duration::from_millis);
            let intervals = Timing { t1, t2, ..Timing::default() }.intervals();
            assert_eq!(intervals.iter().map(Duration::as_millis).collect::<Vec<_>>(), want);
        }
    }
}
