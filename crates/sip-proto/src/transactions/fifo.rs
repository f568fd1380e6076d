use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Timers that all take equally long, so that the first set is the first due: setting and firing cost the same however
/// many there are. Timers are not stopped; the owner of what a timer names knows whether it still matters.
#[derive(Debug)]
pub(super) struct Fifo<T> {
    after: Duration,
    queue: VecDeque<(Instant, T)>,
}

impl<T> Fifo<T> {
    pub(super) fn new(after: Duration) -> Self {
        Self { after, queue: VecDeque::new() }
    }

    /// Sets a timer for [`Fifo::new`]'s duration from `now`.
    pub(super) fn set(&mut self, now: Instant, value: T) {
        self.set_at(now + self.after, value);
    }

    /// Sets a timer that is due at `at`, or with the last one set if that is later: late rather than out of order.
    pub(super) fn set_at(&mut self, at: Instant, value: T) {
        let last = self.queue.back().map_or(at, |(last, _)| *last);
        self.queue.push_back((at.max(last), value));
    }

    /// The next timer that is due.
    pub(super) fn fire(&mut self, now: Instant) -> Option<T> {
        let due = self.queue.front().is_some_and(|(at, _)| *at <= now);
        if due { self.force() } else { None }
    }

    /// The next timer, due or not.
    pub(super) fn force(&mut self) -> Option<T> {
        self.queue.pop_front().map(|(_, value)| value)
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.queue.front().map(|(at, _)| *at)
    }

    pub(super) fn after(&self) -> Duration {
        self.after
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chappe_sim::Clock;

    #[test]
    fn timers_fire_in_order_and_not_before_their_time() {
        let mut clock = Clock::new();
        let mut fifo = Fifo::new(Duration::from_secs(2));
        fifo.set(clock.now(), 'a');
        clock.advance(Duration::from_secs(1));
        fifo.set(clock.now(), 'b');
        assert_eq!(fifo.fire(clock.now()), None);
        clock.advance(Duration::from_secs(1));
        assert_eq!((fifo.fire(clock.now()), fifo.fire(clock.now())), (Some('a'), None));
        assert_eq!(fifo.next(), Some(clock.now() + Duration::from_secs(1)));
    }

    #[test]
    fn an_earlier_timer_waits_for_the_one_before_it() {
        let clock = Clock::new();
        let mut fifo = Fifo::new(Duration::from_secs(2));
        fifo.set(clock.now(), 'a');
        fifo.set_at(clock.now(), 'b');
        assert_eq!(fifo.fire(clock.now()), None);
        let later = clock.now() + Duration::from_secs(2);
        assert_eq!((fifo.fire(later), fifo.fire(later)), (Some('a'), Some('b')));
    }
}
