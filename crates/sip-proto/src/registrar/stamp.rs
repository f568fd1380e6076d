use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// An [`Instant`] in half the octets: nanoseconds from the first one that was ever stamped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Stamp(i64);

static FIRST: OnceLock<Instant> = OnceLock::new();

impl Stamp {
    /// What lies further from the first than 292 years is that far away.
    pub(super) fn of(at: Instant) -> Self {
        let first = *FIRST.get_or_init(|| at);
        let nanos = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
        match at.checked_duration_since(first) {
            Some(later) => Self(nanos(later)),
            None => Self(-nanos(first.saturating_duration_since(at))),
        }
    }

    pub(super) fn instant(self) -> Instant {
        let span = Duration::from_nanos(self.0.unsigned_abs());
        // It was made of an Instant, so there is one.
        match FIRST.get() {
            Some(first) if self.0 < 0 => first.checked_sub(span).unwrap_or(*first),
            Some(first) => *first + span,
            None => unreachable!("a stamp is made by `of` alone"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chappe_sim::Clock;

    #[test]
    fn stamps_are_the_times_they_were_made_of_and_in_their_order() {
        let now = Clock::new().now();
        let times = [now, now + Duration::from_nanos(1), now + Duration::from_secs(86_400 * 365)];
        let stamps = times.map(Stamp::of);
        assert!(stamps.is_sorted());
        assert_eq!(stamps.map(Stamp::instant), times);
        if let Some(earlier) = now.checked_sub(Duration::from_secs(3)) {
            assert_eq!(Stamp::of(earlier).instant(), earlier);
            assert!(Stamp::of(earlier) < stamps[0]);
        }
    }
}
