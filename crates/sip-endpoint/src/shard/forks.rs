//! Requests under way: each goes to all devices of a user at once and has one outcome.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chappe_chat::CopyEnd;
use chappe_sip_proto::{ClientId, Peer};
use hashbrown::HashMap;
use smallvec::SmallVec;
use tokio::sync::oneshot;

use super::again::Ways;
use super::targets::TargetKey;
use crate::push::masked;

/// One copy of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The Request-URI.
    pub uri: String,
    /// The value of To.
    pub to: String,
    /// Route headers, RFC 3327 §5.3.
    pub route: SmallVec<[String; 1]>,
    pub peer: Peer,
    /// The same device's other flows (RFC 5626 §5.3), each tried when those before it lead nowhere.
    pub flows: Vec<Leg>,
}

impl Leg {
    /// The device's name in reports: its address without what it is woken by.
    pub fn device(&self) -> Cow<'_, str> {
        masked(&self.uri)
    }
}

/// A MESSAGE to send: what its copies share, and the copies.
#[derive(Debug)]
pub struct SendJob {
    pub legs: SmallVec<[Leg; 2]>,
    /// Everything after Call-ID and CSeq, from the From line to the end of the body.
    pub rest: Vec<u8>,
    /// After this long without a final answer the outcome is [`Outcome::NoAnswer`]; the copies go on.
    pub accept_after: Duration,
    /// The Call-ID of each copy; `None`: each has its own.
    pub call_id: Option<Box<str>>,
    /// Where the only copy goes, when that may be more than one place; its own peer does not count then.
    pub ways: Option<Box<Ways>>,
    /// Nobody may be waiting.
    pub done: Option<oneshot::Sender<Told>>,
}

/// What the one who sent the request is told.
#[derive(Debug)]
pub struct Told {
    pub outcome: Outcome,
    /// The copies that have ended, but for a lone one that was taken.
    pub ended: Vec<CopyEnd>,
    /// Those that have not.
    pub rest: Option<Pending>,
}

/// Copies without an answer yet.
#[derive(Debug)]
pub struct Pending {
    pub devices: Vec<Box<str>>,
    pub ended: oneshot::Receiver<Vec<CopyEnd>>,
}

/// What became of a request, for the one who sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered { code: u16, device: String },
    Refused { code: u16, reason: String, device: String },
    NoAnswer,
    Overloaded,
}

/// A copy of a request under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CopyId {
    /// It was sent, by this transaction.
    Sent(ClientId),
    /// It waits for its turn, under this number.
    Waiting(u64),
}

struct Copy {
    fork: u64,
    device: String,
    /// Where it takes part in turns.
    target: Option<TargetKey>,
}

struct Fork {
    pending: SmallVec<[CopyId; 2]>,
    /// Whether there is just one copy.
    is_lone: bool,
    best: Option<Outcome>,
    /// The copies that have ended and were not told of.
    ended: Vec<CopyEnd>,
    done: Option<oneshot::Sender<Told>>,
    /// Who waits for the rest.
    rest: Option<oneshot::Sender<Vec<CopyEnd>>>,
}

/// How one copy ended.
pub enum LegEnd {
    Answer {
        code: u16,
        reason: String,
    },
    TimedOut,
    Unreachable,
    /// It waited behind one that nobody answered.
    NotSent,
    /// Too many requests are under way.
    TooMany,
}

impl LegEnd {
    /// Whether it says that another request would not be answered either at the moment. RFC 3261 §21.4.9 and §21.5.4: a proxy
    /// says so, too.
    pub fn is_silent(&self) -> bool {
        match self {
            Self::Answer { code, .. } => matches!(code, 408 | 503),
            Self::TimedOut | Self::Unreachable | Self::NotSent => true,
            Self::TooMany => false,
        }
    }
}

/// The forks of one shard.
#[derive(Default)]
pub struct Forks {
    forks: HashMap<u64, Fork>,
    copies: HashMap<CopyId, Copy>,
    /// Earliest first.
    deadlines: VecDeque<(Instant, u64)>,
    next: u64,
}

impl Forks {
    /// Requests whose copies are not all answered.
    pub fn len(&self) -> usize {
        self.forks.len()
    }

    pub fn open(&mut self, deadline: Instant, legs: usize, done: Option<oneshot::Sender<Told>>) -> u64 {
        self.next += 1;
        if done.is_some() {
            // Nearly all wait equally long, so the place is at the back.
            let place = self.deadlines.partition_point(|(at, _)| *at <= deadline);
            self.deadlines.insert(place, (deadline, self.next));
        }
        let fork = Fork {
            pending: SmallVec::new(),
            is_lone: legs == 1,
            best: None,
            ended: Vec::new(),
            done,
            rest: None,
        };
        self.forks.insert(self.next, fork);
        self.next
    }

    pub fn add(&mut self, id: u64, copy: CopyId, device: String, target: Option<TargetKey>) {
        if let Some(fork) = self.forks.get_mut(&id) {
            fork.pending.push(copy);
        }
        self.copies.insert(copy, Copy { fork: id, device, target });
    }

    /// A copy goes on as another request.
    pub fn moved(&mut self, before: CopyId, after: CopyId) {
        let Some(copy) = self.copies.remove(&before) else { return };
        if let Some(fork) = self.forks.get_mut(&copy.fork) {
            fork.pending.iter_mut().filter(|pending| **pending == before).for_each(|p| *p = after);
        }
        self.copies.insert(after, copy);
    }

    /// Takes note of the end of a copy. A provisional answer is no end and must not come here. Where it took part in turns.
    pub fn ended(&mut self, copy: CopyId, end: LegEnd) -> Option<TargetKey> {
        let Copy { fork: id, device, target } = self.copies.remove(&copy)?;
        let Some(fork) = self.forks.get_mut(&id) else { return target };
        fork.pending.retain(|pending| *pending != copy);
        fork.note(&end, &device);
        let outcome = outcome(end, device);
        if let Outcome::Delivered { .. } = outcome {
            // RFC 3261 §16.7 step 5: the first 2xx is forwarded at once.
            fork.tell(outcome, &self.copies);
        } else if fork.best.as_ref().is_none_or(|best| rank(&outcome) < rank(best)) {
            fork.best = Some(outcome);
        }
        if fork.pending.is_empty() {
            self.close(id);
        }
        target
    }

    /// All copies have ended.
    fn close(&mut self, id: u64) {
        let Some(mut fork) = self.forks.remove(&id) else { return };
        if let Some(best) = fork.best.take() {
            fork.tell(best, &self.copies);
        }
        if let Some(rest) = fork.rest.take() {
            // Whoever asked may have gone meanwhile.
            let _ = rest.send(fork.ended);
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
            if let Some(fork) = self.forks.get_mut(&id) {
                fork.tell(Outcome::NoAnswer, &self.copies);
            }
        }
    }
}

impl Fork {
    fn note(&mut self, end: &LegEnd, device: &str) {
        let (code, reason) = match end {
            LegEnd::Answer { code: 200..300, .. } if self.is_lone && self.done.is_some() => return,
            LegEnd::Answer { code, reason } => (*code, reason.as_str()),
            LegEnd::TimedOut => (0, "No Answer"),
            LegEnd::Unreachable => (0, "Unreachable"),
            LegEnd::NotSent => (0, "Not Sent"),
            // Others may have it: then it is to be known that this device has not.
            LegEnd::TooMany if self.is_lone => return,
            LegEnd::TooMany => (0, "Not Sent"),
        };
        self.ended.push(CopyEnd { device: device.into(), code, reason: reason.into() });
    }

    /// Tells whoever waits, once.
    fn tell(&mut self, outcome: Outcome, copies: &HashMap<CopyId, Copy>) {
        let Some(done) = self.done.take() else { return };
        let mut rest = None;
        if !self.pending.is_empty() {
            let (told, ended) = oneshot::channel();
            let pending = self.pending.iter().filter_map(|copy| copies.get(copy));
            let devices = pending.map(|copy| copy.device.as_str().into()).collect();
            rest = Some(Pending { devices, ended });
            self.rest = Some(told);
        }
        // Whoever asked may have gone meanwhile.
        let _ = done.send(Told { outcome, ended: std::mem::take(&mut self.ended), rest });
    }
}

fn outcome(end: LegEnd, device: String) -> Outcome {
    match end {
        LegEnd::Answer { code, .. } if (200..300).contains(&code) => Outcome::Delivered { code, device },
        LegEnd::Answer { code, reason } => Outcome::Refused { code, reason, device },
        LegEnd::TimedOut | LegEnd::Unreachable | LegEnd::NotSent => Outcome::NoAnswer,
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
    use bytes::Bytes;
    use chappe_sip_proto::{Limits, Transactions};

    /// So many copies of one request, and what becomes of them.
    fn fork(copies: usize) -> (Forks, Vec<CopyId>, oneshot::Receiver<Told>) {
        let mut forks = Forks::default();
        let (done, told) = oneshot::channel();
        let id = forks.open(Instant::now() + Duration::from_secs(2), copies, Some(done));
        let mut transactions = Transactions::new(0, 1, Limits::default());
        let peer = Peer::udp("192.0.2.1:5060".parse().unwrap());
        let sent: Vec<_> = (0..copies)
            .map(|number| {
                let branch = transactions.new_branch();
                let client = transactions.request(Instant::now(), branch, Bytes::from_static(b"M"), peer);
                let copy = CopyId::Sent(client);
                forks.add(id, copy, format!("d{number}"), None);
                copy
            })
            .collect();
        (forks, sent, told)
    }

    fn answer(code: u16) -> LegEnd {
        match code {
            0 => LegEnd::TimedOut,
            1 => LegEnd::Unreachable,
            _ => LegEnd::Answer { code, reason: "R".to_owned() },
        }
    }

    fn conclude(ends: &[u16]) -> Option<Outcome> {
        let (mut forks, clients, mut told) = fork(ends.len());
        for (client, &code) in clients.into_iter().zip(ends) {
            forks.ended(client, answer(code));
        }
        assert_eq!(forks.len(), 0);
        told.try_recv().ok().map(|told| told.outcome)
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
        let (mut forks, clients, mut told) = fork(3);
        forks.ended(clients[0], answer(486));
        forks.ended(clients[1], answer(200));
        let Told { outcome, ended, rest } = told.try_recv().unwrap();
        assert_eq!(outcome, Outcome::Delivered { code: 200, device: "d1".to_owned() });
        let ended: Vec<_> = ended.iter().map(|copy| (&*copy.device, copy.code)).collect();
        assert_eq!(ended, [("d0", 486), ("d1", 200)]);
        let mut rest = rest.unwrap();
        assert_eq!(rest.devices, ["d2".into()]);
        assert_eq!(forks.len(), 1);
        forks.ended(clients[2], answer(0));
        assert_eq!(rest.ended.try_recv().unwrap()[0].code, 0);
        assert_eq!(forks.len(), 0);
    }

    #[test]
    fn a_device_that_got_no_copy_is_told_of_where_another_has_it() {
        for end in [LegEnd::TooMany, LegEnd::NotSent] {
            let (mut forks, clients, mut told) = fork(2);
            forks.ended(clients[1], end);
            forks.ended(clients[0], answer(200));
            let ended = told.try_recv().unwrap().ended;
            let ended: Vec<_> = ended.iter().map(|copy| (&*copy.device, copy.code, &*copy.reason)).collect();
            assert_eq!(ended, [("d1", 0, "Not Sent"), ("d0", 200, "R")]);
        }
    }

    #[test]
    fn only_who_is_not_there_ends_what_waits_for_him() {
        let silent: Vec<_> = [0, 1, 200, 404, 408, 480, 486, 500, 503, 603]
            .into_iter()
            .filter(|code| answer(*code).is_silent())
            .collect();
        assert_eq!(silent, [0, 1, 408, 503]);
        assert!(!LegEnd::TooMany.is_silent());
    }

    #[test]
    fn a_lone_copy_that_is_taken_costs_no_list() {
        let (mut forks, clients, mut told) = fork(1);
        forks.ended(clients[0], answer(200));
        let Told { ended, rest, .. } = told.try_recv().unwrap();
        assert!(ended.is_empty() && rest.is_none());
    }

    #[test]
    fn who_waits_too_long_is_told_once_and_of_the_end() {
        let (mut forks, clients, mut told) = fork(1);
        let deadline = forks.next_deadline().unwrap();
        forks.expire(deadline - Duration::from_secs(1));
        assert!(told.try_recv().is_err());
        forks.expire(deadline);
        let Told { outcome, rest, .. } = told.try_recv().unwrap();
        assert_eq!(outcome, Outcome::NoAnswer);
        assert_eq!(forks.next_deadline(), None);
        forks.ended(clients[0], answer(200));
        assert_eq!(rest.unwrap().ended.try_recv().unwrap()[0].code, 200);
        assert_eq!(forks.len(), 0);
    }
}
