//! What became of each message of a run, and when.

use std::time::Duration;

use hdrhistogram::Histogram;

/// RFC 3261 §17.1.2.2: the intervals of timer E.
const INTERVALS: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Times are microseconds since the run began.
type Micros = u32;

#[derive(Clone, Copy, Default)]
struct Entry {
    /// When it should have been sent.
    due: Micros,
    /// When it was.
    sent: Micros,
    /// When its final answer came; with `code`.
    answered: Micros,
    /// When it was both answered 2xx and delivered.
    done: Micros,
    /// Of the final answer; 0: none yet.
    code: u16,
    is_delivered: bool,
}

/// Counts of a stretch of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// Messages that were due in it.
    pub due: u64,
    /// Of those: answered 2xx by the end of the run.
    pub accepted: u64,
    /// Of those: answered 503.
    pub refused: u64,
    /// Messages that were answered 2xx and delivered in it, whenever they were due.
    pub done: u64,
    /// From when a message was first sent to its 2xx, of those that were due in it; milliseconds. The sender waits for nothing,
    /// so that it is late for want of its own time alone, which is told beside.
    pub p50: f64,
    pub p99: f64,
}

/// The messages of a run by their numbers.
#[derive(Default)]
pub struct Book {
    entries: Vec<Entry>,
    /// For each interval of timer E: what is sent again when, earliest first.
    again: [std::collections::VecDeque<(Micros, u32)>; INTERVALS.len()],
    pub retransmitted: u64,
    pub duplicates: u64,
    /// Messages without a final answer.
    pub open: u64,
}

impl Book {
    /// A message is sent for the first time; its number.
    pub fn send(&mut self, due: Duration, now: Duration) -> usize {
        let number = self.entries.len();
        self.entries.push(Entry { due: micros(due), sent: micros(now), ..Entry::default() });
        self.open += 1;
        self.again[0].push_back((micros(now + INTERVALS[0]), number as u32));
        number
    }

    /// The next one to be sent again. A final answer of any kind ends that.
    pub fn overdue(&mut self, now: Duration) -> Option<usize> {
        let now = micros(now);
        for interval in 0..INTERVALS.len() {
            while let Some((_, number)) = self.again[interval].pop_front_if(|(at, _)| *at <= now) {
                if self.entries[number as usize].code > 0 {
                    continue;
                }
                let longer = (interval + 1).min(INTERVALS.len() - 1);
                self.again[longer].push_back((now + micros(INTERVALS[longer]), number));
                self.retransmitted += 1;
                return Some(number as usize);
            }
        }
        None
    }

    /// Nothing that was sent so far is sent again.
    pub fn give_up(&mut self) {
        self.again.iter_mut().for_each(|queue| queue.clear());
    }

    /// A final answer came.
    pub fn answer(&mut self, number: usize, code: u16, now: Duration) {
        let Some(entry) = self.entries.get_mut(number).filter(|entry| entry.code == 0) else { return };
        (entry.code, entry.answered) = (code, micros(now));
        self.open -= 1;
        if entry.is_delivered && is_taken(code) {
            entry.done = micros(now);
        }
    }

    /// It arrived.
    pub fn deliver(&mut self, number: usize, now: Duration) {
        let Some(entry) = self.entries.get_mut(number) else { return };
        self.duplicates += u64::from(entry.is_delivered);
        if !entry.is_delivered && is_taken(entry.code) {
            entry.done = micros(now);
        }
        entry.is_delivered = true;
    }

    /// Messages so far.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// What was due, and what was done, from one time to another.
    pub fn stretch(&self, from: Duration, to: Duration) -> Stretch {
        let range = micros(from)..micros(to);
        let mut stretch = Stretch { due: 0, accepted: 0, refused: 0, done: 0, p50: 0.0, p99: 0.0 };
        let mut latency =
            Histogram::<u32>::new_with_bounds(1, 60_000_000, 3).expect("the bounds are in order");
        for entry in &self.entries {
            stretch.done += u64::from(entry.done > 0 && range.contains(&entry.done));
            if !range.contains(&entry.due) {
                continue;
            }
            stretch.due += 1;
            stretch.refused += u64::from(entry.code == 503);
            if is_taken(entry.code) {
                stretch.accepted += 1;
                latency.saturating_record(u64::from(entry.answered.saturating_sub(entry.sent)).max(1));
            }
        }
        let at = |quantile| latency.value_at_quantile(quantile) as f64 / 1000.0;
        (stretch.p50, stretch.p99) = (at(0.5), at(0.99));
        stretch
    }
}

fn is_taken(code: u16) -> bool {
    (200..300).contains(&code)
}

fn micros(time: Duration) -> Micros {
    Micros::try_from(time.as_micros()).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_final_answer_ends_the_retransmissions() {
        let mut book = Book::default();
        let [taken, refused, lost] = std::array::from_fn(|_| book.send(at(1), at(1)));
        book.deliver(taken, at(3));
        book.answer(taken, 200, at(4));
        book.answer(refused, 503, at(5));
        book.answer(refused, 200, at(6));
        assert_eq!(book.overdue(at(500)), None);
        let again: Vec<_> = [501, 502, 1500, 1501, 3600].map(|millis| book.overdue(at(millis))).into();
        assert_eq!(again, [Some(lost), None, None, Some(lost), Some(lost)]);
        assert_eq!((book.retransmitted, book.open), (3, 1));
        let all = book.stretch(at(0), at(10));
        assert_eq!((all.due, all.accepted, all.refused, all.done, all.p99.round()), (3, 1, 1, 1, 3.0));
    }

    #[test]
    fn done_counts_when_both_have_happened_and_due_when_it_was() {
        let mut book = Book::default();
        let number = book.send(at(10), at(12));
        book.answer(number, 202, at(150));
        book.deliver(number, at(250));
        book.deliver(number, at(260));
        let slots: Vec<_> = (0..3).map(|slot| book.stretch(at(slot * 100), at(slot * 100 + 100))).collect();
        assert_eq!(slots.iter().map(|slot| slot.due).collect::<Vec<_>>(), [1, 0, 0]);
        assert_eq!(slots.iter().map(|slot| slot.done).collect::<Vec<_>>(), [0, 0, 1]);
        assert_eq!((slots[0].p50.round(), book.duplicates), (138.0, 1));
    }
}
