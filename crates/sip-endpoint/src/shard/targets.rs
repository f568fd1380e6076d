//! Who may send to a target, and who waits for it, in order.
//!
//! RFC 3428 §8: a client opens no MESSAGE transaction to a URI while it has one pending there. So a copy *goes* where
//! fewer than the most are pending, else it *waits* behind those that came before it; each end of a pending one lets the
//! next go. Where the last pending one ends without a word from the target, those that wait end with it: each would have to
//! find out the same for half a minute, and it is the queue that tries again later.
//!
//! All shards of a profile see the same targets. A target stands in one of many buckets, each as large as a line of the
//! processor's cache, with a lock of its own where there are several shards: shards that send to different targets have
//! nothing to do with each other.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use parking_lot::Mutex;
use smallvec::SmallVec;

use super::forks::Leg;

/// Copies that wait for one target; one more is refused as overload.
pub const MOST_WAITING: usize = 64;

/// A quarter of a megabyte of them.
const BUCKETS: usize = 4096;

/// A target's name: a hash that nobody outside can foresee, so that nobody can have others wait for a device of his own.
/// Should two targets ever have the same, they wait for each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TargetKey(u64);

/// A copy that may have to wait: by its shard, and the number it has there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket {
    pub shard: u16,
    pub number: u64,
}

/// Whether a copy may be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    Goes,
    Waits,
    /// Too many wait.
    Full,
}

/// What becomes of copies that waited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// It is sent, and pending from here on.
    Goes,
    /// It is given up: the target does not answer.
    Ends,
    /// It did not get a place to wait.
    IsRefused,
}

/// Those whose turn has come, in order.
pub type Tickets = SmallVec<[Ticket; 2]>;

/// A target with something pending.
struct Target {
    key: TargetKey,
    /// Transactions without a final answer; at least one.
    pending: u32,
    /// Made for the first that has to wait.
    #[expect(
        clippy::box_collection,
        reason = "hardly anybody waits, and a bucket is to be a line of the cache"
    )]
    waiting: Option<Box<VecDeque<Ticket>>>,
}

impl Target {
    /// The first copy goes at once.
    fn new(key: TargetKey) -> Self {
        Self { key, pending: 1, waiting: None }
    }

    fn start(&mut self, most: usize, ticket: Option<Ticket>) -> Start {
        let waiting = self.waiting.as_ref().map_or(0, |waiting| waiting.len());
        if waiting == 0 && (self.pending as usize) < most {
            self.pending += 1;
            return Start::Goes;
        }
        match ticket.filter(|_| waiting < MOST_WAITING) {
            Some(ticket) => {
                self.waiting.get_or_insert_default().push_back(ticket);
                Start::Waits
            }
            None => Start::Full,
        }
    }

    /// Those that go now; after a silent end those that are given up. While others are pending they may still be answered.
    fn end(&mut self, most: usize, is_silent: bool) -> (Turn, Tickets) {
        self.pending = self.pending.saturating_sub(1);
        let Some(waiting) = &mut self.waiting else { return (Turn::Goes, Tickets::new()) };
        if is_silent {
            let given_up = if self.pending == 0 { waiting.drain(..).collect() } else { Tickets::new() };
            return (Turn::Ends, given_up);
        }
        let room = most.saturating_sub(self.pending as usize).min(waiting.len());
        self.pending += room as u32;
        (Turn::Goes, waiting.drain(..room).collect())
    }
}

/// Hardly ever more than two targets.
#[derive(Default)]
#[repr(align(64))]
struct Bucket(Mutex<SmallVec<[Target; 2]>>);

enum Buckets {
    /// Of the only shard, which needs no lock.
    Own(Box<[Bucket]>),
    Shared(Arc<[Bucket]>),
}

/// The targets of a profile, as one of its shards sees them.
pub struct Targets {
    hasher: RandomState,
    buckets: Buckets,
}

impl Targets {
    /// One for each of so many shards.
    pub fn of_shards(count: usize) -> Vec<Self> {
        let hasher = RandomState::new();
        let buckets = (0..BUCKETS).map(|_| Bucket::default());
        if count == 1 {
            return vec![Self { hasher, buckets: Buckets::Own(buckets.collect()) }];
        }
        let shared: Arc<[Bucket]> = buckets.collect();
        let each = || Self { hasher: hasher.clone(), buckets: Buckets::Shared(shared.clone()) };
        std::iter::repeat_with(each).take(count).collect()
    }

    /// A device, by its contact and the way there: behind different NATs or edge proxies the same contact may be another
    /// device's, and a user may register the contact of somebody else's device. A device with several flows is one target,
    /// whichever of them is tried first.
    pub fn device(&self, leg: &Leg) -> TargetKey {
        let flows = leg.flows.iter().map(|flow| self.flow(flow));
        TargetKey(flows.fold(self.flow(leg), u64::min))
    }

    /// One of another domain or behind a gateway: which of the servers it is sent to makes no difference.
    pub fn address(&self, leg: &Leg) -> TargetKey {
        TargetKey(self.hasher.hash_one((&leg.uri, &*leg.route)))
    }

    fn flow(&self, leg: &Leg) -> u64 {
        self.hasher.hash_one((&leg.uri, &*leg.route, leg.peer.transport, leg.peer.addr))
    }

    /// A copy wants to be sent where at most so many may be pending. `ticket`: by what it is known where it has to wait;
    /// `None`: there is no room for it to wait. What [goes](Start::Goes) has to come to its [end](Self::end).
    pub fn start(&mut self, key: TargetKey, most: usize, ticket: Option<Ticket>) -> Start {
        self.with(key, |bucket| match bucket.iter_mut().find(|target| target.key == key) {
            Some(target) => target.start(most, ticket),
            None => {
                bucket.push(Target::new(key));
                Start::Goes
            }
        })
    }

    /// A copy that went has had its final answer, or will have none. `is_silent`: the target did not answer. What becomes of
    /// those that wait, and of which.
    pub fn end(&mut self, key: TargetKey, most: usize, is_silent: bool) -> (Turn, Tickets) {
        self.with(key, |bucket| {
            let found = bucket.iter().position(|target| target.key == key);
            let Some(at) = found else { return (Turn::Goes, Tickets::new()) };
            let released = bucket[at].end(most, is_silent);
            if bucket[at].pending == 0 {
                bucket.swap_remove(at);
            }
            released
        })
    }

    fn with<T>(&mut self, key: TargetKey, act: impl FnOnce(&mut SmallVec<[Target; 2]>) -> T) -> T {
        let at = key.0 as usize % BUCKETS;
        match &mut self.buckets {
            Buckets::Own(buckets) => act(buckets[at].0.get_mut()),
            Buckets::Shared(buckets) => act(&mut buckets[at].0.lock()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chappe_sip_proto::Peer;

    fn targets() -> Targets {
        Targets::of_shards(1).remove(0)
    }

    fn leg(uri: &str, port: u16, route: &[&str]) -> Leg {
        Leg {
            uri: uri.to_owned(),
            to: String::new(),
            route: route.iter().map(|hop| (*hop).to_owned()).collect(),
            peer: Peer::udp(([192, 0, 2, 1], port).into()),
            flows: Vec::new(),
        }
    }

    fn ticket(number: u64) -> Option<Ticket> {
        Some(Ticket { shard: (number % 2) as u16, number })
    }

    fn numbers((turn, tickets): (Turn, Tickets)) -> (Turn, Vec<u64>) {
        (turn, tickets.iter().map(|ticket| ticket.number).collect())
    }

    fn count(targets: &mut Targets) -> usize {
        (0..BUCKETS as u64).map(|at| targets.with(TargetKey(at), |bucket| bucket.len())).sum()
    }

    /// `+3` a copy by this number, `.` an answer, `x` an end without one; what came of it.
    fn check(most: usize, steps: &str, expected: &str) {
        let (mut targets, key) = (targets(), TargetKey(7));
        let seen = steps.split(' ').map(|step| match step.strip_prefix('+') {
            Some(number) => format!("{:?}", targets.start(key, most, ticket(number.parse().unwrap()))),
            None => {
                let (turn, numbers) = numbers(targets.end(key, most, step == "x"));
                if numbers.is_empty() { "-".to_owned() } else { format!("{turn:?}{numbers:?}") }
            }
        });
        assert_eq!(seen.collect::<Vec<_>>().join(" "), expected, "{most}: {steps}");
    }

    #[test]
    fn one_is_pending_and_the_others_follow_in_order() {
        check(1, "+1 +2 +3 . +4 . . . +5", "Goes Waits Waits Goes[2] Waits Goes[3] Goes[4] - Goes");
    }

    #[test]
    fn several_may_be_pending_and_nobody_overtakes() {
        check(3, "+1 +2 +3 +4 +5 . . . . . +6", "Goes Goes Goes Waits Waits Goes[4] Goes[5] - - - Goes");
    }

    #[test]
    fn silence_ends_those_that_wait_in_order_and_the_next_is_sent() {
        check(1, "+1 +2 +3 x +4 +5 .", "Goes Waits Waits Ends[2, 3] Goes Waits Goes[5]");
    }

    #[test]
    fn while_others_are_pending_silence_decides_nothing() {
        check(2, "+1 +2 +3 +4 x +5 . .", "Goes Goes Waits Waits - Waits Goes[3, 4] Goes[5]");
        check(2, "+1 +2 +3 +4 x x +5", "Goes Goes Waits Waits - Ends[3, 4] Goes");
    }

    #[test]
    fn a_limit_that_is_raised_or_lowered_counts_from_the_next_end_on() {
        let (mut targets, key) = (targets(), TargetKey(7));
        let starts: Vec<_> = (1..=5).map(|number| targets.start(key, 1, ticket(number))).collect();
        assert_eq!(starts[1..], [Start::Waits; 4]);
        assert_eq!(numbers(targets.end(key, 3, false)), (Turn::Goes, vec![2, 3, 4]));
        assert_eq!(numbers(targets.end(key, 1, false)), (Turn::Goes, vec![]));
        assert_eq!(numbers(targets.end(key, usize::MAX, false)), (Turn::Goes, vec![5]));
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let (mut targets, key) = (targets(), TargetKey(7));
        assert_eq!(targets.start(key, 1, None), Start::Goes);
        assert_eq!(targets.start(key, 1, None), Start::Full);
        for number in 0..MOST_WAITING as u64 {
            assert_eq!(targets.start(key, 1, ticket(number)), Start::Waits);
        }
        assert_eq!(targets.start(key, 1, ticket(64)), Start::Full);
        assert_eq!(targets.end(key, 1, true).1.len(), MOST_WAITING);
        assert_eq!(count(&mut targets), 0);
    }

    #[test]
    fn shards_share_their_targets_and_nothing_is_left_of_those_that_ended() {
        let mut shards = Targets::of_shards(2);
        let leg = leg("sip:1001@192.0.2.1", 5060, &[]);
        let keys: Vec<_> = shards.iter().map(|targets| targets.device(&leg)).collect();
        assert_eq!(keys[0], keys[1]);
        assert_eq!(shards[0].start(keys[0], 1, ticket(0)), Start::Goes);
        assert_eq!(shards[1].start(keys[1], 1, ticket(1)), Start::Waits);
        let (_, next) = shards[0].end(keys[0], 1, false);
        assert_eq!(next[..], [Ticket { shard: 1, number: 1 }]);
        assert_eq!(count(&mut shards[0]), 1);
        shards[1].end(keys[1], 1, false);
        assert_eq!(count(&mut shards[1]), 0);
    }

    #[test]
    fn targets_are_told_apart_by_contact_and_way_there() {
        let targets = targets();
        let plain = leg("sip:1001@10.0.0.2", 5060, &[]);
        for other in [
            leg("sip:1002@10.0.0.2", 5060, &[]),
            leg("sip:1001@10.0.0.2", 5062, &[]),
            leg("sip:1001@10.0.0.2", 5060, &["<sip:token@edge;lr>"]),
        ] {
            assert_ne!(targets.device(&plain), targets.device(&other), "{other:?}");
        }
        let (one, other) = (leg("sip:1@h", 5060, &[]), leg("sip:1@h", 5062, &[]));
        assert_eq!(targets.address(&one), targets.address(&other), "servers of one domain");
        assert_ne!(targets.address(&one), targets.address(&leg("sip:2@h", 5060, &[])));
    }

    #[test]
    fn a_device_is_one_target_by_whatever_flow() {
        let targets = targets();
        let flows = [5060, 5062, 5064].map(|port| leg("sip:1001@10.0.0.2", port, &[]));
        let by = |first: usize| {
            let mut leg = flows[first].clone();
            leg.flows = flows.iter().filter(|flow| flow.peer != leg.peer).cloned().collect();
            targets.device(&leg)
        };
        assert!(by(0) == by(1) && by(1) == by(2));
    }

    #[test]
    fn a_bucket_is_a_line_of_the_cache() {
        assert_eq!(size_of::<Bucket>(), 64);
    }
}
