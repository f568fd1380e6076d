//! Server transactions, RFC 3261 §17.2.2 with RFC 4320, and what INVITE needs besides (`invite`).

use std::time::Instant;

use bytes::Bytes;
use chappe_sip_msg::{Message, Method};

use super::answer::{self, Printer, Tag};
use super::exchange::{Response, ServerId};
use super::fifo::Fifo;
use super::index::Index;
use super::invite::{AckWaits, InviteAnswer};
use super::matching::{Identity, MergeKey, ServerKey};
use super::slab::{Slab, Slot};
use super::{Limits, Outbox};
use crate::Peer;
use crate::siphash::HashKey;

/// How many freed [`Pending`]s are kept for the next requests.
const SPARE: usize = 1024;
/// A [`Pending`] with more room than this is not kept.
const SPARE_BYTES: usize = 4096;

/// Transactions that are forgotten together. With timer J of 32 s nothing of them is in the processor's caches: their places are
/// asked for all at once, and waited for once.
const TOGETHER: usize = 32;
/// So often at most for one call: a process that was stopped for a while has millions of them, and requests that wait.
const AT_ONCE: usize = 64;

/// One request that came in.
#[derive(Debug)]
struct Server {
    key: ServerKey,
    /// By which a copy that came another way is known.
    merge: Option<MergeKey>,
    state: State,
}

/// Where a server transaction stands. Small, because most of them are finished and wait for timer J.
#[derive(Debug)]
enum State {
    /// Trying or Proceeding.
    Pending(Box<Pending>),
    /// Completed: the retransmission and this code make the answer again.
    Plain(u16),
    /// Completed, with an answer that has headers or a body of its own.
    Kept(Box<Bytes>),
    /// Ended without an answer, which RFC 4320 §4.2 prefers to a 408.
    Silent,
    /// The answer to an INVITE.
    Invite(Box<InviteAnswer>),
}

/// What it takes to answer a request after its datagram is gone.
#[derive(Debug)]
struct Pending {
    /// Where the answer goes.
    peer: Peer,
    /// See [`answer::keep`].
    kept: Vec<u8>,
    invite: bool,
    /// Whether 100 was sent: state Proceeding.
    proceeding: bool,
}

/// The requests one shard got.
#[derive(Debug)]
pub(super) struct Servers {
    limits: Limits,
    tag_key: HashKey,
    all: Slab<Server>,
    by_key: Index<u32>,
    by_merge: Index<u32>,
    #[expect(clippy::vec_box, reason = "the boxes go into entries as they are")]
    spare: Vec<Box<Pending>>,
    printer: Printer,
    /// Bytes in [`State::Kept`].
    kept_bytes: usize,
    /// When a client's timer E reaches T2: time for a 100.
    late: Fifo<Slot>,
    /// When the client's timer F ends its transaction: time to forget a request nobody answered.
    too_late: Fifo<Slot>,
    /// Timer J.
    finished: Fifo<Slot>,
    ack_waits: AckWaits,
}

impl Servers {
    pub(super) fn new(limits: Limits, tag_key: HashKey) -> Self {
        let timing = limits.timing;
        Self {
            limits,
            tag_key,
            all: Slab::for_most(limits.servers),
            by_key: Index::for_most(limits.servers),
            by_merge: Index::for_most(limits.servers),
            spare: Vec::new(),
            printer: Printer::new(),
            kept_bytes: 0,
            late: Fifo::new(timing.until_t2()),
            too_late: Fifo::new(timing.t1x64.saturating_sub(timing.until_t2())),
            finished: Fifo::new(timing.t1x64),
            ack_waits: AckWaits::new(timing),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.all.len() >= self.limits.servers
    }

    pub(super) fn find(&self, key: ServerKey) -> Option<ServerId> {
        let is_it = |index: &u32| self.all.at(*index).is_some_and(|(_, server)| server.key == key);
        let index = self.by_key.find(key.hash(), is_it)?;
        self.all.at(*index).map(|(slot, _)| ServerId(slot))
    }

    /// The To tag of answers to the request of that key.
    pub(super) fn tag(&self, key: ServerKey) -> Tag {
        tag(self.tag_key, key)
    }

    /// RFC 3261 §8.2.2.2.
    pub(super) fn is_merged(&self, merge: MergeKey) -> bool {
        let is_it = |index: &u32| self.all.at(*index).is_some_and(|(_, server)| server.merge == Some(merge));
        self.by_merge.find(merge.hash(), is_it).is_some()
    }

    /// Where the answer to a request goes.
    fn destination(&self, identity: &Identity<'_>, source: Peer) -> Peer {
        if self.limits.force_rport { source } else { answer::destination(&identity.via, source) }
    }

    pub(super) fn insert(
        &mut self,
        now: Instant,
        request: &Message<'_>,
        identity: &Identity<'_>,
        key: ServerKey,
        merge: Option<MergeKey>,
        source: Peer,
    ) -> ServerId {
        let invite = identity.method == Method::Invite;
        let peer = self.destination(identity, source);
        let mut pending = self.spare.pop().unwrap_or_else(|| Box::new(Pending::new(peer)));
        answer::keep(request, source, tag(self.tag_key, key), &mut pending.kept);
        (pending.peer, pending.invite, pending.proceeding) = (peer, invite, false);
        let slot = self.all.insert(Server { key, merge, state: State::Pending(pending) });
        let all = &self.all;
        self.by_key.insert_unique(key.hash(), slot.index(), |index| key_hash(all, *index));
        if let Some(merge) = merge {
            self.by_merge.insert_unique(merge.hash(), slot.index(), |index| merge_hash(all, *index));
        }
        self.late.set(now, slot);
        ServerId(slot)
    }

    /// An answer that no transaction stands behind.
    pub(super) fn answer_statelessly(
        &mut self,
        request: &Message<'_>,
        identity: &Identity<'_>,
        key: ServerKey,
        source: Peer,
        response: &Response,
        outbox: &mut Outbox,
    ) {
        let bytes = self.printer.answer_request(request, source, response, tag(self.tag_key, key));
        outbox.transmit(self.destination(identity, source), bytes);
    }

    /// The same for a request that lacks what would identify it. Where its Via can't be read, another version's say, the
    /// answer goes back to where the request came from.
    pub(super) fn answer_unidentified(
        &mut self,
        request: &Message<'_>,
        key: ServerKey,
        source: Peer,
        response: &Response,
        outbox: &mut Outbox,
    ) {
        let bytes = self.printer.answer_request(request, source, response, tag(self.tag_key, key));
        let to = request.via().map_or(source, |via| answer::destination(&via, source));
        outbox.transmit(to, bytes);
    }

    /// RFC 3261 §17.2.2: in Trying a retransmission is dropped, later it gets the last answer once more.
    pub(super) fn retransmission(
        &mut self,
        request: &Message<'_>,
        identity: &Identity<'_>,
        server: ServerId,
        source: Peer,
        outbox: &mut Outbox,
    ) {
        let Some(server) = self.all.get(server.0) else {
            return;
        };
        let bytes = match &server.state {
            State::Pending(pending) if pending.proceeding => {
                self.printer.answer_kept(&pending.kept, &Response::new(100))
            }
            State::Plain(code) => {
                let tag = tag(self.tag_key, server.key);
                self.printer.answer_request(request, source, &Response::new(*code), tag)
            }
            State::Kept(bytes) => Bytes::clone(bytes),
            State::Invite(answer) => match answer.again() {
                Some(bytes) => bytes,
                None => return,
            },
            State::Pending(_) | State::Silent => return,
        };
        outbox.transmit(self.destination(identity, source), bytes);
    }

    /// RFC 3261 §17.2.1: the ACK ends the retransmissions of an INVITE's answer. Whether there was one to end.
    pub(super) fn ack(&mut self, now: Instant, server: ServerId) -> bool {
        match self.all.get_mut(server.0).map(|server| &mut server.state) {
            Some(State::Invite(answer)) => {
                self.ack_waits.acknowledged(now, server.0, answer);
                true
            }
            _ => false,
        }
    }

    /// Sends an answer; a final one ends the transaction but for its retransmissions.
    pub(super) fn respond(
        &mut self,
        now: Instant,
        server: ServerId,
        response: &Response,
        outbox: &mut Outbox,
    ) {
        let Some(entry) = self.all.get_mut(server.0) else {
            return;
        };
        let State::Pending(pending) = &mut entry.state else {
            return;
        };
        if response.code < 200 {
            // RFC 4320 §4.1: the only provisional answer is 100, and on datagrams it has its time, see `say_trying`.
            if response.code == 100 && (pending.invite || pending.peer.transport.is_reliable()) {
                pending.proceeding = true;
                outbox.transmit(pending.peer, self.printer.answer_kept(&pending.kept, response));
            }
            return;
        }
        let State::Pending(pending) = std::mem::replace(&mut entry.state, State::Silent) else {
            return;
        };
        // RFC 4320 §4.2: a 408 would reach nobody who still waits.
        if response.code != 408 || pending.invite {
            let bytes = self.printer.answer_kept(&pending.kept, response);
            outbox.transmit(pending.peer, bytes.clone());
            self.complete(now, server.0, &pending, response, bytes, outbox);
        } else {
            self.finish(now, server.0, pending.peer);
        }
        self.save(pending);
    }

    fn complete(
        &mut self,
        now: Instant,
        slot: Slot,
        pending: &Pending,
        response: &Response,
        bytes: Bytes,
        outbox: &mut Outbox,
    ) {
        if matches!(response.code, 401 | 407) {
            self.forget_merge(slot);
        }
        let state = if pending.invite {
            let answer = InviteAnswer::new(pending.peer, Bytes::copy_from_slice(&bytes));
            State::Invite(Box::new(self.ack_waits.start(now, slot, answer)))
        } else if response.is_plain() || pending.peer.transport.is_reliable() {
            State::Plain(response.code)
        } else if self.kept_bytes + bytes.len() <= self.limits.kept_bytes {
            self.kept_bytes += bytes.len();
            State::Kept(Box::new(Bytes::copy_from_slice(&bytes)))
        } else {
            outbox.counters.not_kept += 1;
            if matches!(response.code, 401 | 407) {
                return self.forget(slot);
            }
            State::Plain(response.code)
        };
        let waits_for_ack = matches!(state, State::Invite(_));
        if let Some(server) = self.all.get_mut(slot) {
            server.state = state;
        }
        if !waits_for_ack {
            self.finish(now, slot, pending.peer);
        }
    }

    /// Timer J: zero on a reliable transport, RFC 3261 §17.2.2.
    fn finish(&mut self, now: Instant, slot: Slot, peer: Peer) {
        if peer.transport.is_reliable() {
            self.forget(slot);
        } else {
            self.finished.set(now, slot);
        }
    }

    /// Timer J is not waited for.
    pub(super) fn forget_answered(&mut self, server: ServerId) {
        let state = self.all.get(server.0).map(|server| &server.state);
        if matches!(state, Some(State::Plain(_) | State::Kept(_) | State::Silent)) {
            self.forget(server.0);
        }
    }

    /// Deviation from RFC 3261 §22.2: clients are about that send their credentials without a higher CSeq. A request that
    /// was only challenged is therefore not one that a later request can be a copy of.
    fn forget_merge(&mut self, slot: Slot) {
        let merge = self.all.get_mut(slot).and_then(|server| server.merge.take());
        if let Some(merge) = merge {
            self.by_merge.remove(merge.hash(), |index| *index == slot.index());
        }
    }

    fn forget(&mut self, slot: Slot) {
        self.forget_merge(slot);
        let Some(server) = self.all.remove(slot) else {
            return;
        };
        self.by_key.remove(server.key.hash(), |index| *index == slot.index());
        match server.state {
            State::Kept(bytes) => self.kept_bytes -= bytes.len(),
            State::Pending(pending) => self.save(pending),
            State::Plain(_) | State::Silent | State::Invite(_) => {}
        }
    }

    fn save(&mut self, pending: Box<Pending>) {
        if self.spare.len() < SPARE && pending.kept.capacity() <= SPARE_BYTES {
            self.spare.push(pending);
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let fifos = [&self.late, &self.too_late, &self.finished];
        fifos.into_iter().filter_map(Fifo::next).chain(self.ack_waits.next()).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) {
        while let Some(slot) = self.late.fire(now) {
            self.say_trying(now, slot, outbox);
        }
        while let Some(slot) = self.too_late.fire(now) {
            self.give_up(slot, outbox);
        }
        for _ in 0..AT_ONCE {
            if self.finished.next().is_none_or(|at| at > now) {
                break;
            }
            self.forget_finished(now);
        }
        while let Some(slot) = self.ack_waits.fire(now) {
            self.repeat_or_forget(now, slot, outbox);
        }
        if self.all.settle() {
            let empty = || Index::for_most(self.limits.servers);
            (self.by_key, self.by_merge) = (empty(), empty());
        }
    }

    /// Some of those whose timer J is due.
    fn forget_finished(&mut self, now: Instant) {
        let mut slots = [None; TOGETHER];
        for place in &mut slots {
            *place = self.finished.fire(now);
        }
        let slots = || slots.into_iter().flatten();
        let mut hashes = [(0, 0); TOGETHER];
        for (hashes, slot) in hashes.iter_mut().zip(slots()) {
            let server = self.all.get(slot);
            *hashes =
                server.map_or((0, 0), |server| (server.key.hash(), server.merge.map_or(0, MergeKey::hash)));
        }
        for ((key, merge), slot) in hashes.into_iter().zip(slots()) {
            self.by_key.bring_near(key, |index| *index == slot.index());
            self.by_merge.bring_near(merge, |index| *index == slot.index());
        }
        slots().for_each(|slot| self.forget(slot));
    }

    /// Where a request that was not there yet will be put.
    pub(super) fn bring_near(&self, key: ServerKey, merge: Option<MergeKey>) {
        // None is looked at more closely, which would be elsewhere in memory.
        self.by_key.bring_near(key.hash(), |_| false);
        self.by_merge.bring_near(merge.map_or(0, MergeKey::hash), |_| false);
    }

    /// RFC 4320 §4.1: a request that waits for its answer when timer E of its client reaches T2 gets a 100.
    fn say_trying(&mut self, now: Instant, slot: Slot, outbox: &mut Outbox) {
        let Some(State::Pending(pending)) = self.all.get_mut(slot).map(|server| &mut server.state) else {
            return;
        };
        pending.proceeding = true;
        outbox.transmit(pending.peer, self.printer.answer_kept(&pending.kept, &Response::new(100)));
        self.too_late.set(now, slot);
    }

    fn give_up(&mut self, slot: Slot, outbox: &mut Outbox) {
        if self.all.get(slot).is_some_and(|server| matches!(server.state, State::Pending(_))) {
            outbox.counters.unanswered += 1;
            self.forget(slot);
        }
    }

    fn repeat_or_forget(&mut self, now: Instant, slot: Slot, outbox: &mut Outbox) {
        let Some(State::Invite(answer)) = self.all.get_mut(slot).map(|server| &mut server.state) else {
            return;
        };
        match self.ack_waits.repeat(now, slot, answer) {
            Some(bytes) => outbox.transmit(answer.peer(), bytes),
            None if answer.is_over(now) => self.forget(slot),
            None => {}
        }
    }
}

impl Pending {
    fn new(peer: Peer) -> Self {
        Self { peer, kept: Vec::new(), invite: false, proceeding: false }
    }
}

/// The same request gets the same tag, whether or not it is kept, RFC 3261 §8.2.7.
fn tag(tag_key: HashKey, key: ServerKey) -> Tag {
    let mut hash = tag_key.hash();
    key.words().into_iter().for_each(|word| hash.number(word));
    answer::tag(hash.finish128()[0])
}

fn key_hash(all: &Slab<Server>, index: u32) -> u64 {
    all.at(index).map_or(0, |(_, server)| server.key.hash())
}

fn merge_hash(all: &Slab<Server>, index: u32) -> u64 {
    all.at(index).and_then(|(_, server)| server.merge).map_or(0, |merge| merge.hash())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A busy server's finished transactions are most of its memory: 32 s of them on datagrams.
    #[test]
    fn a_finished_transaction_costs_about_ninety_bytes() {
        let entry = Slab::<Server>::PLACE;
        let timer = size_of::<(Instant, Slot)>();
        // A hash table of u32 at three quarters full, with its control bytes; there are two of them.
        let tables = 2 * (size_of::<u32>() + 1) * 4 / 3;
        assert!(entry + timer + tables <= 90, "{entry} + {timer} + {tables}");
    }
}
