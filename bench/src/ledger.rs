//! What became of each message.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// RFC 3261 §17.1.2.2: timer E starts at T1 and doubles up to T2.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);

struct Entry {
    /// When it should have been sent, and when it was.
    due: Instant,
    sent: Instant,
    resend_at: Instant,
    interval: Duration,
    answered: bool,
    delivered: bool,
}

impl Entry {
    fn is_done(&self) -> bool {
        self.answered && self.delivered
    }
}

/// Counts of one run.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub sent: u64,
    /// Got a 2xx.
    pub answered: u64,
    /// Arrived.
    pub delivered: u64,
    /// Answered and arrived.
    pub done: u64,
    /// Arrived again.
    pub duplicates: u64,
    /// Sent again for want of an answer.
    pub retransmitted: u64,
    /// Other final answers, by status.
    pub refused: BTreeMap<u16, u64>,
}

/// Every message of a run.
pub struct Ledger {
    entries: Vec<Entry>,
    /// All before this one are done.
    oldest: usize,
    /// Messages are to arrive, too.
    arrive: bool,
    /// The latencies of those before this one don't count.
    counted: usize,
    pub counts: Counts,
    /// From when a message was sent until its 2xx had come, in microseconds, of those that count.
    pub latency: Histogram<u64>,
    /// From when it was due until its 2xx was taken: this load's own delays are in it.
    pub since_due: Histogram<u64>,
}

impl Counts {
    /// Neither answered and arrived nor refused.
    pub fn open(&self) -> u64 {
        self.sent - self.done - self.refused.values().sum::<u64>()
    }
}

impl<'c> Sum<&'c Counts> for Counts {
    fn sum<I: Iterator<Item = &'c Counts>>(all: I) -> Self {
        let mut sum = Counts::default();
        for counts in all {
            sum.sent += counts.sent;
            sum.answered += counts.answered;
            sum.delivered += counts.delivered;
            sum.done += counts.done;
            sum.duplicates += counts.duplicates;
            sum.retransmitted += counts.retransmitted;
            for (code, count) in &counts.refused {
                *sum.refused.entry(*code).or_default() += count;
            }
        }
        sum
    }
}

impl Ledger {
    pub fn new() -> Self {
        let micros = || Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are in order");
        Ledger {
            entries: Vec::new(),
            oldest: 0,
            arrive: true,
            counted: 0,
            counts: Counts::default(),
            latency: micros(),
            since_due: micros(),
        }
    }

    /// Of messages that are done once they are answered.
    pub fn of_answers() -> Self {
        Ledger { arrive: false, ..Ledger::new() }
    }

    /// Latencies of what has been sent so far don't count, whenever the answers come.
    pub fn begin(&mut self) {
        self.counted = self.entries.len();
        self.latency.reset();
        self.since_due.reset();
    }

    /// Messages that are not yet answered and delivered, or refused.
    pub fn open(&self) -> u64 {
        self.counts.open()
    }

    /// A message was sent; its number.
    pub fn send(&mut self, due: Instant, now: Instant) -> usize {
        self.counts.sent += 1;
        self.entries.push(Entry {
            due,
            sent: now,
            resend_at: now + T1,
            interval: T1,
            answered: false,
            delivered: !self.arrive,
        });
        self.entries.len() - 1
    }

    /// A final answer came, and was taken from the socket. Answers to messages that have one are those to retransmissions.
    pub fn answer(&mut self, number: usize, code: u16, came: Instant, taken: Instant) {
        let Some(entry) = self.entries.get_mut(number).filter(|entry| !entry.answered) else { return };
        entry.answered = true;
        if !(200..300).contains(&code) {
            *self.counts.refused.entry(code).or_default() += 1;
            return;
        }
        self.counts.answered += 1;
        self.counts.done += u64::from(entry.is_done());
        if number >= self.counted {
            self.latency.saturating_record(micros(came.duration_since(entry.sent)));
            self.since_due.saturating_record(micros(taken.duration_since(entry.due)));
        }
    }

    /// A message arrived.
    pub fn deliver(&mut self, number: usize) {
        let Some(entry) = self.entries.get_mut(number) else { return };
        if entry.delivered {
            self.counts.duplicates += 1;
            return;
        }
        entry.delivered = true;
        self.counts.delivered += 1;
        self.counts.done += u64::from(entry.is_done());
    }

    /// Messages whose answer is overdue; each is taken as sent again.
    pub fn take_overdue(&mut self, now: Instant) -> Vec<usize> {
        while self.entries.get(self.oldest).is_some_and(Entry::is_done) {
            self.oldest += 1;
        }
        let mut overdue = Vec::new();
        for (number, entry) in self.entries.iter_mut().enumerate().skip(self.oldest) {
            if !entry.answered && entry.resend_at <= now {
                entry.interval = (entry.interval * 2).min(T2);
                entry.resend_at = now + entry.interval;
                overdue.push(number);
            }
        }
        self.counts.retransmitted += overdue.len() as u64;
        overdue
    }
}

/// At least one.
fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_counts_once() {
        let start = Instant::now();
        let mut ledger = Ledger::new();
        let [a, b, c] = std::array::from_fn(|_| ledger.send(start, start));
        ledger.deliver(a);
        ledger.deliver(a);
        ledger.answer(a, 200, start + Duration::from_millis(3), start + Duration::from_millis(3));
        ledger.answer(a, 200, start, start);
        ledger.answer(b, 202, start, start);
        ledger.answer(c, 404, start, start);
        ledger.answer(99, 200, start, start);
        ledger.deliver(99);
        let counts = &ledger.counts;
        assert_eq!((counts.sent, counts.answered, counts.delivered, counts.done), (3, 2, 1, 1));
        assert_eq!((counts.duplicates, counts.refused.get(&404), ledger.open()), (1, Some(&1), 1));
        assert_eq!(ledger.latency.len(), 2);
        assert!((2990..=3010).contains(&ledger.latency.max()));
    }

    #[test]
    fn what_was_sent_before_the_beginning_has_no_latency() {
        let start = Instant::now();
        let mut ledger = Ledger::new();
        let [early, late] = std::array::from_fn(|_| ledger.send(start, start));
        ledger.answer(early, 200, start + Duration::from_secs(9), start + Duration::from_secs(9));
        ledger.begin();
        let counted = ledger.send(start, start);
        ledger.answer(late, 200, start + Duration::from_secs(9), start + Duration::from_secs(9));
        ledger.answer(counted, 200, start + Duration::from_millis(3), start + Duration::from_millis(3));
        assert_eq!((ledger.latency.len(), ledger.counts.answered), (1, 3));
        assert!(ledger.latency.max() < 4000);
    }

    #[test]
    fn counts_of_several_runs_are_added() {
        let counts = |sent, code| Counts { sent, done: 2, refused: [(code, 1)].into(), ..Counts::default() };
        let sum: Counts = [&counts(5, 404), &counts(4, 503), &counts(3, 503)].into_iter().sum();
        assert_eq!((sum.sent, sum.done, sum.open()), (12, 6, 3));
        assert_eq!(sum.refused, [(404, 1), (503, 2)].into());
    }

    #[test]
    fn an_answer_is_all_where_nothing_arrives() {
        let now = Instant::now();
        let mut ledger = Ledger::of_answers();
        let [kept, refused] = std::array::from_fn(|_| ledger.send(now, now));
        assert_eq!(ledger.open(), 2);
        ledger.answer(kept, 202, now, now);
        ledger.answer(refused, 503, now, now);
        assert_eq!((ledger.open(), ledger.counts.done, ledger.counts.refused.get(&503)), (0, 1, Some(&1)));
    }

    #[test]
    fn resending_backs_off() {
        let start = Instant::now();
        let mut ledger = Ledger::new();
        let number = ledger.send(start, start);
        let at = |millis| start + Duration::from_millis(millis);
        assert!(ledger.take_overdue(at(499)).is_empty());
        assert_eq!(ledger.take_overdue(at(500)), [number]);
        assert!(ledger.take_overdue(at(1499)).is_empty());
        assert_eq!(ledger.take_overdue(at(1500)), [number]);
        ledger.answer(number, 200, at(1600), at(1600));
        assert!(ledger.take_overdue(at(60_000)).is_empty());
        assert_eq!(ledger.counts.retransmitted, 2);
    }
}
