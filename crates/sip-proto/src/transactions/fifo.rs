use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Timers that all take equally long, so that the first set is the first due: setting and firing cost the same however
/// many there are. Timers are not stopped; the owner of what a timer names knows whether it still matters.
///
/// They lie in chunks, so that growing moves nothing and a queue that was long once becomes small again.
#[derive(Debug)]
pub(super) struct Fifo<T> {
    after: Duration,
    /// None of them empty, but perhaps the only one.
    chunks: VecDeque<VecDeque<(Instant, T)>>,
    /// An empty one, for the next.
    spare: Option<VecDeque<(Instant, T)>>,
}

/// Timers in a chunk.
const CHUNK: usize = 4096;

impl<T> Fifo<T> {
    pub(super) fn new(after: Duration) -> Self {
        Self { after, chunks: VecDeque::from([VecDeque::new()]), spare: None }
    }

    /// Sets a timer for [`Fifo::new`]'s duration from `now`.
    pub(super) fn set(&mut self, now: Instant, value: T) {
        self.set_at(now + self.after, value);
    }

    /// Sets a timer that is due at `at`, or with the last one set if that is later: late rather than out of order.
    pub(super) fn set_at(&mut self, at: Instant, value: T) {
        let last = self.chunks.back().and_then(VecDeque::back).map_or(at, |(last, _)| *last);
        if self.chunks.back().is_none_or(|chunk| chunk.len() >= CHUNK) {
            let chunk = self.spare.take().unwrap_or_else(|| VecDeque::with_capacity(CHUNK));
            self.chunks.push_back(chunk);
        }
        if let Some(chunk) = self.chunks.back_mut() {
            chunk.push_back((at.max(last), value));
        }
    }

    /// The next timer that is due.
    pub(super) fn fire(&mut self, now: Instant) -> Option<T> {
        let (at, _) = self.chunks.front()?.front()?;
        if *at <= now { self.force() } else { None }
    }

    /// The next timer, due or not.
    pub(super) fn force(&mut self) -> Option<T> {
        let chunk = self.chunks.front_mut()?;
        let timer = chunk.pop_front();
        if chunk.is_empty() && self.chunks.len() > 1 {
            self.spare = self.chunks.pop_front();
        }
        timer.map(|(_, value)| value)
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.chunks.front()?.front().map(|(at, _)| *at)
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
    fn order_holds_across_chunks() {
        let mut clock = Clock::new();
        let mut fifo = Fifo::new(Duration::from_secs(2));
        let mut fired = Vec::new();
        for number in 0..5 * CHUNK {
            fifo.set(clock.now(), number);
            clock.advance(Duration::from_millis(if number % 3 == 0 { 1 } else { 0 }));
            fired.extend(std::iter::from_fn(|| fifo.fire(clock.now())));
        }
        assert!(!fired.is_empty() && fifo.chunks.len() > 1);
        fired.extend(std::iter::from_fn(|| fifo.force()));
        assert!(fired.into_iter().eq(0..5 * CHUNK));
        assert_eq!((fifo.next(), fifo.chunks.len()), (None, 1));
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
