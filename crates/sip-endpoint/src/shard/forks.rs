//! Requests under way: each goes to all devices of a user at once and has one outcome.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chappe_sip_proto::{ClientId, Peer};
use hashbrown::HashMap;
use smallvec::SmallVec;
use tokio::sync::oneshot;

/// One copy of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The Request-URI, and the device's name in reports.
    pub uri: String,
    /// The value of To.
    pub to: String,
    /// Route headers, RFC 3327 §5.3.
    pub route: SmallVec<[String; 1]>,
    pub peer: Peer,
}

/// A MESSAGE to send: what its copies share, and the copies.
#[derive(Debug)]
pub struct SendJob {
    pub legs: SmallVec<[Leg; 2]>,
    /// Everything after Call-ID and CSeq, from the From line to the end of the body.
    pub rest: Vec<u8>,
    /// After this long without a final answer the outcome is [`Outcome::NoAnswer`]; the copies go on.
    pub accept_after: Duration,
    /// Nobody may be waiting.
    pub done: Option<oneshot::Sender<Outcome>>,
}

/// What became of a request, for the one who sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered { code: u16, device: String },
    Refused { code: u16, reason: String, device: String },
    NoAnswer,
    Overloaded,
}

struct Fork {
    pending: usize,
    best: Option<Outcome>,
    done: Option<oneshot::Sender<Outcome>>,
}

/// How one copy ended.
pub enum LegEnd {
    Answer {
        code: u16,
        reason: String,
    },
    TimedOut,
    Unreachable,
    /// Too many requests are under way.
    TooMany,
}

/// The forks of one shard.
#[derive(Default)]
pub struct Forks {
    forks: HashMap<u64, Fork>,
    legs: HashMap<ClientId, (u64, String)>,
    /// Earliest first.
    deadlines: VecDeque<(Instant, u64)>,
    next: u64,
}

impl Forks {
    /// Requests whose copies are not all answered.
    pub fn len(&self) -> usize {
        self.forks.len()
    }

    pub fn open(&mut self, deadline: Instant, legs: usize, done: Option<oneshot::Sender<Outcome>>) -> u64 {
        self.next += 1;
        if done.is_some() {
            // Nearly all wait equally long, so the place is at the back.
            let place = self.deadlines.partition_point(|(at, _)| *at <= deadline);
            self.deadlines.insert(place, (deadline, self.next));
        }
        self.forks.insert(self.next, Fork { pending: legs, best: None, done });
        self.next
    }

    pub fn add(&mut self, fork: u64, client: ClientId, device: String) {
        self.legs.insert(client, (fork, device));
    }

    /// Takes note of the end of a copy. A provisional answer is no end and must not come here.
    pub fn ended(&mut self, client: ClientId, end: LegEnd) {
        let Some((id, device)) = self.legs.remove(&client) else { return };
        self.conclude(id, device, end);
    }

    /// The same for a copy that could not even be sent.
    pub fn conclude(&mut self, id: u64, device: String, end: LegEnd) {
        let Some(fork) = self.forks.get_mut(&id) else { return };
        fork.pending = fork.pending.saturating_sub(1);
        fork.take(outcome(end, device));
        if fork.pending == 0 {
            if let (Some(done), Some(best)) = (fork.done.take(), fork.best.take()) {
                // Whoever asked may have gone meanwhile.
                let _ = done.send(best);
            }
            self.forks.remove(&id);
        }
    }

    pub fn next_deadline(&mut self) -> Option<Instant> {
        while let Some((at, id)) = self.deadlines.front() {
            if self.forks.get(id).is_some_and(|fork| fork.done.is_some()) {
                return Some(*at);
            }
            self.deadlines.pop_front();
        }
        None
    }

    /// Tells those who wait since too long that there is no answer yet.
    pub fn expire(&mut self, now: Instant) {
        while self.deadlines.front().is_some_and(|(at, _)| *at <= now) {
            let Some((_, id)) = self.deadlines.pop_front() else { return };
            if let Some(done) = self.forks.get_mut(&id).and_then(|fork| fork.done.take()) {
                let _ = done.send(Outcome::NoAnswer);
            }
        }
    }
}

impl Fork {
    fn take(&mut self, outcome: Outcome) {
        if let Outcome::Delivered { .. } = outcome {
            // RFC 3261 §16.7 step 5: the first 2xx is forwarded at once.
            if let Some(done) = self.done.take() {
                let _ = done.send(outcome);
            }
        } else if self.best.as_ref().is_none_or(|best| rank(&outcome) < rank(best)) {
            self.best = Some(outcome);
        }
    }
}

fn outcome(end: LegEnd, device: String) -> Outcome {
    match end {
        LegEnd::Answer { code, .. } if (200..300).contains(&code) => Outcome::Delivered { code, device },
        LegEnd::Answer { code, reason } => Outcome::Refused { code, reason, device },
        LegEnd::TimedOut | LegEnd::Unreachable => Outcome::NoAnswer,
        LegEnd::TooMany => Outcome::Overloaded,
    }
}

/// RFC 3261 §16.7 step 6: a 6xx before all others, then the lowest class; in the 4xx class first those that tell the
/// sender how to do better; a 503 only when there is nothing else.
fn rank(outcome: &Outcome) -> (u16, u16) {
    match outcome {
        Outcome::Delivered { .. } => (0, 0),
        Outcome::Refused { code: 600.., .. } => (1, 0),
        Outcome::Refused { code: 503, .. } => (9, 0),
        Outcome::Refused { code, .. } => {
            let helpful = matches!(code, 401 | 407 | 415 | 420 | 484);
            (*code / 100, u16::from(!helpful))
        }
        Outcome::NoAnswer | Outcome::Overloaded => (10, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conclude(ends: &[u16]) -> Option<Outcome> {
        let mut forks = Forks::default();
        let (done, mut outcome) = oneshot::channel();
        let id = forks.open(Instant::now(), ends.len(), Some(done));
        for &code in ends {
            let end = match code {
                0 => LegEnd::TimedOut,
                1 => LegEnd::Unreachable,
                _ => LegEnd::Answer { code, reason: "R".to_owned() },
            };
            forks.conclude(id, format!("d{code}"), end);
        }
        assert_eq!(forks.len(), 0);
        outcome.try_recv().ok()
    }

    #[test]
    fn one_outcome_for_all_copies() {
        let cases: &[(&[u16], u16)] = &[
            (&[200], 200),
            (&[486, 202], 202),
            (&[200, 486], 200),
            (&[486, 603], 603),
            (&[500, 404], 404),
            (&[404, 415], 415),
            (&[0], 0),
            (&[0, 486], 486),
            (&[1, 0], 0),
            (&[1, 200], 200),
            (&[1], 0),
            (&[503, 500], 500),
            (&[503, 1], 503),
        ];
        for (ends, expected) in cases {
            let code = match conclude(ends) {
                Some(Outcome::Delivered { code, .. } | Outcome::Refused { code, .. }) => code,
                Some(Outcome::NoAnswer) => 0,
                other => panic!("{ends:?}: {other:?}"),
            };
            assert_eq!(code, *expected, "{ends:?}");
        }
    }

    #[test]
    fn the_first_2xx_is_told_before_the_others_answer() {
        let mut forks = Forks::default();
        let (done, mut outcome) = oneshot::channel();
        let id = forks.open(Instant::now(), 2, Some(done));
        forks.conclude(id, "a".to_owned(), LegEnd::Answer { code: 200, reason: String::new() });
        assert_eq!(outcome.try_recv(), Ok(Outcome::Delivered { code: 200, device: "a".to_owned() }));
        assert_eq!(forks.len(), 1);
    }

    #[test]
    fn who_waits_too_long_is_told_once() {
        let mut forks = Forks::default();
        let (done, mut outcome) = oneshot::channel();
        let now = Instant::now();
        let id = forks.open(now + Duration::from_secs(2), 1, Some(done));
        assert_eq!(forks.next_deadline(), Some(now + Duration::from_secs(2)));
        forks.expire(now + Duration::from_secs(1));
        assert!(outcome.try_recv().is_err());
        forks.expire(now + Duration::from_secs(2));
        assert_eq!(outcome.try_recv(), Ok(Outcome::NoAnswer));
        assert_eq!(forks.next_deadline(), None);
        forks.conclude(id, "late".to_owned(), LegEnd::TimedOut);
        assert_eq!(forks.len(), 0);
    }
}
