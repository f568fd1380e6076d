//! What RFC 3261 §17.2.1 asks for an INVITE that is refused: its answer is repeated until the ACK comes.
//!
//! Calls are not served, so there is no 2xx and no dialog; whoever calls gets a final answer and sends an ACK for it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::limits::Timing;
use super::slab::Slot;
use crate::Peer;

/// The final answer to an INVITE.
#[derive(Debug)]
pub(super) struct InviteAnswer {
    peer: Peer,
    bytes: Bytes,
    /// Timer G.
    interval: Duration,
    /// Timer H in state Completed, timer I in state Confirmed.
    until: Option<Instant>,
    confirmed: bool,
    /// The one timer set in [`AckWaits`].
    next: Option<Instant>,
}

impl InviteAnswer {
    pub(super) fn new(peer: Peer, bytes: Bytes) -> Self {
        Self { peer, bytes, interval: Duration::ZERO, until: None, confirmed: false, next: None }
    }

    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    /// The answer for an INVITE that comes again, unless the ACK has come.
    pub(super) fn again(&self) -> Option<Bytes> {
        (!self.confirmed).then(|| self.bytes.clone())
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| until <= now)
    }
}

/// Timers G, H and I. Refused INVITEs are few and their intervals differ, so the timers are kept sorted.
#[derive(Debug)]
pub(super) struct AckWaits {
    timing: Timing,
    due: BTreeSet<(Instant, Slot)>,
}

impl AckWaits {
    pub(super) fn new(timing: Timing) -> Self {
        Self { timing, due: BTreeSet::new() }
    }

    /// The answer was sent.
    pub(super) fn start(&mut self, now: Instant, slot: Slot, answer: &mut InviteAnswer) {
        answer.interval = self.timing.t1;
        answer.until = Some(now + self.timing.t1x64);
        self.plan(now, slot, answer);
    }

    /// The ACK came: for timer I further ones are absorbed.
    pub(super) fn acknowledged(&mut self, now: Instant, slot: Slot, answer: &mut InviteAnswer) {
        if answer.confirmed {
            return;
        }
        let lingers = !answer.peer.transport.is_reliable();
        answer.confirmed = true;
        answer.until = Some(if lingers { now + self.timing.t4 } else { now });
        self.plan(now, slot, answer);
    }

    /// The next answer whose time has come.
    pub(super) fn fire(&mut self, now: Instant) -> Option<Slot> {
        let due = self.next().is_some_and(|at| at <= now);
        if due { self.due.pop_first().map(|(_, slot)| slot) } else { None }
    }

    /// The bytes to repeat, after [`AckWaits::fire`]. Without them the answer is over or was only looked after.
    pub(super) fn repeat(&mut self, now: Instant, slot: Slot, answer: &mut InviteAnswer) -> Option<Bytes> {
        answer.next = None;
        if answer.is_over(now) {
            return None;
        }
        answer.interval = (answer.interval * 2).min(self.timing.t2);
        self.plan(now, slot, answer);
        answer.again()
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The next repetition on datagrams before the ACK, else the end.
    fn plan(&mut self, now: Instant, slot: Slot, answer: &mut InviteAnswer) {
        let repeats = !answer.confirmed && !answer.peer.transport.is_reliable();
        let end = answer.until.unwrap_or(now);
        let at = if repeats { end.min(now + answer.interval.max(Duration::from_millis(1))) } else { end };
        if let Some(before) = answer.next.replace(at) {
            self.due.remove(&(before, slot));
        }
        self.due.insert((at, slot));
    }
}
