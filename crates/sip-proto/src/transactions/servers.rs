//! Server transactions, RFC 3261 §17.2.2 with RFC 4320, and what INVITE needs besides (`invite`).

use std::time::Instant;

use bytes::Bytes;
use chappe_sip_msg::{Message, Method};

use super::answer::{self, Printer, Tag};
use super::exchange::{Response, ServerId};
use super::fifo::Fifo;
use super::invite::{AckWaits, InviteAnswer};
use super::matching::{Identity, MergeKey, ServerKey};
use super::requests::{Known, Requests};
use super::slab::{Slab, Slot};
use super::{Limits, Outbox};
use crate::Peer;
use crate::siphash::HashKey;

/// How many freed [`Pending`]s are kept for the next requests.
const SPARE: usize = 1024;
/// A [`Pending`] with more room than this is not kept.
const SPARE_BYTES: usize = 4096;

/// One request that came in, of which more than its answer's code has to be kept.
#[derive(Debug)]
struct Server {
    key: ServerKey,
    /// By which a copy that came another way is known.
    merge: Option<MergeKey>,
    state: State,
}

/// Where a server transaction stands. Where the retransmission and a code make the answer again it is kept in [`Requests`] alone.
#[derive(Debug)]
enum State {
    /// Trying or Proceeding.
    Pending(Box<Pending>),
    /// Completed, with an answer that has headers or a body of its own.
    Kept(Bytes),
    /// The answer to an INVITE.
    Invite(Box<InviteAnswer>),
}

/// What becomes of a request that was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Afterwards {
    /// For timer J its retransmission gets the answer once more.
    Repeat,
    /// Its retransmission is a new request.
    Forget,
}

/// What a request is known by.
type Request = (ServerKey, Option<MergeKey>);

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
    requests: Requests,
    #[expect(clippy::vec_box, reason = "the boxes go into entries as they are")]
    spare: Vec<Box<Pending>>,
    printer: Printer,
    /// Bytes in [`State::Kept`].
    kept_bytes: usize,
    /// When a client's timer E reaches T2: time for a 100.
    late: Fifo<Slot>,
    /// When the client's timer F ends its transaction: time to forget a request nobody answered.
    too_late: Fifo<Slot>,
    /// Timer J of [`State::Kept`].
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
            requests: Requests::for_most(limits.servers, timing.t1x64),
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
        self.all.len() + self.requests.answered()
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.limits.servers
    }

    /// What is asked next is asked at this time.
    pub(super) fn set_now(&mut self, now: Instant) {
        self.requests.set_now(now);
    }

    pub(super) fn find(&self, key: ServerKey) -> Option<Known> {
        self.requests.find(key)
    }

    /// The To tag of answers to the request of that key.
    pub(super) fn tag(&self, key: ServerKey) -> Tag {
        tag(self.tag_key, key)
    }

    /// RFC 3261 §8.2.2.2.
    pub(super) fn is_merged(&self, merge: MergeKey) -> bool {
        self.requests.is_merged(merge)
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
        self.requests.open(key, merge, slot.index());
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
        (key, known): (ServerKey, Known),
        source: Peer,
        outbox: &mut Outbox,
    ) {
        let bytes = match known {
            Known::Open(index) => self.last_answer(index),
            Known::Answered(0) => None,
            Known::Answered(code) => {
                let tag = tag(self.tag_key, key);
                Some(self.printer.answer_request(request, source, &Response::new(code), tag))
            }
        };
        if let Some(bytes) = bytes {
            outbox.transmit(self.destination(identity, source), bytes);
        }
    }

    fn last_answer(&mut self, index: u32) -> Option<Bytes> {
        let (_, server) = self.all.at(index)?;
        match &server.state {
            State::Pending(pending) if pending.proceeding => {
                Some(self.printer.answer_kept(&pending.kept, &Response::new(100)))
            }
            State::Pending(_) => None,
            State::Kept(bytes) => Some(bytes.clone()),
            State::Invite(answer) => answer.again(),
        }
    }

    /// RFC 3261 §17.2.1: the ACK ends the retransmissions of an INVITE's answer. Whether there was one to end.
    pub(super) fn ack(&mut self, now: Instant, known: Known) -> bool {
        let Known::Open(index) = known else { return false };
        match self.all.at_mut(index) {
            Some((slot, Server { state: State::Invite(answer), .. })) => {
                self.ack_waits.acknowledged(now, slot, answer);
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
        afterwards: Afterwards,
        outbox: &mut Outbox,
    ) {
        let Some(Server { state: State::Pending(pending), .. }) = self.all.get_mut(server.0) else {
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
        let Some(Server { key, merge, state: State::Pending(pending) }) = self.all.remove(server.0) else {
            return;
        };
        self.set_now(now);
        let request = self.challenged(response.code, (key, merge));
        // RFC 4320 §4.2: a 408 would reach nobody who still waits.
        if response.code == 408 && !pending.invite {
            self.end(request, &pending, afterwards, 0);
        } else {
            let bytes = self.printer.answer_kept(&pending.kept, response);
            outbox.transmit(pending.peer, bytes.clone());
            self.complete(now, request, &pending, response, bytes, afterwards, outbox);
        }
        self.save(pending);
    }

    /// Deviation from RFC 3261 §22.2: clients are about that send their credentials without a higher CSeq. A request that
    /// was only challenged is therefore not one that a later request can be a copy of.
    fn challenged(&mut self, code: u16, (key, merge): Request) -> Request {
        let challenged = merge.filter(|_| matches!(code, 401 | 407));
        if let Some(merge) = challenged {
            self.requests.forget_copies(merge);
        }
        (key, if challenged.is_some() { None } else { merge })
    }

    #[expect(clippy::too_many_arguments, reason = "what was sent, to what, and what becomes of it")]
    fn complete(
        &mut self,
        now: Instant,
        request: Request,
        pending: &Pending,
        response: &Response,
        bytes: Bytes,
        afterwards: Afterwards,
        outbox: &mut Outbox,
    ) {
        if pending.invite {
            let answer = InviteAnswer::new(pending.peer, Bytes::copy_from_slice(&bytes));
            return self.keep_invite(now, request, answer);
        }
        if response.is_plain() || afterwards == Afterwards::Forget || pending.peer.transport.is_reliable() {
            return self.end(request, pending, afterwards, response.code);
        }
        if self.kept_bytes + bytes.len() <= self.limits.kept_bytes {
            self.kept_bytes += bytes.len();
            let slot = self.keep(request, State::Kept(Bytes::copy_from_slice(&bytes)));
            return self.finished.set(now, slot);
        }
        outbox.counters.not_kept += 1;
        let afterwards = if matches!(response.code, 401 | 407) { Afterwards::Forget } else { afterwards };
        self.end(request, pending, afterwards, response.code);
    }

    /// An answered request needs nothing but its code, and that for timer J: zero on a reliable transport, RFC 3261 §17.2.2.
    fn end(&mut self, (key, merge): Request, pending: &Pending, afterwards: Afterwards, code: u16) {
        if afterwards == Afterwards::Forget || pending.peer.transport.is_reliable() {
            self.requests.forget(key, merge);
        } else {
            self.requests.answer(key, merge, code);
        }
    }

    /// The user's [`ServerId`] leads nowhere from here on.
    fn keep(&mut self, (key, merge): Request, state: State) -> Slot {
        let slot = self.all.insert(Server { key, merge, state });
        self.requests.move_to(key, merge, slot.index());
        slot
    }

    fn keep_invite(&mut self, now: Instant, request: Request, answer: InviteAnswer) {
        let slot = self.keep(request, State::Invite(Box::new(answer)));
        if let Some(Server { state: State::Invite(answer), .. }) = self.all.get_mut(slot) {
            self.ack_waits.start(now, slot, answer);
        }
    }

    fn forget(&mut self, slot: Slot) {
        let Some(Server { key, merge, state }) = self.all.remove(slot) else {
            return;
        };
        self.requests.forget(key, merge);
        match state {
            State::Kept(bytes) => self.kept_bytes -= bytes.len(),
            State::Pending(pending) => self.save(pending),
            State::Invite(_) => {}
        }
    }

    fn save(&mut self, pending: Box<Pending>) {
        if self.spare.len() < SPARE && pending.kept.capacity() <= SPARE_BYTES {
            self.spare.push(pending);
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let fifos = [&self.late, &self.too_late, &self.finished];
        let times = fifos.into_iter().filter_map(Fifo::next);
        times.chain(self.ack_waits.next()).chain(self.requests.next_timeout()).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) {
        self.set_now(now);
        while let Some(slot) = self.late.fire(now) {
            self.say_trying(now, slot, outbox);
        }
        while let Some(slot) = self.too_late.fire(now) {
            self.give_up(slot, outbox);
        }
        while let Some(slot) = self.finished.fire(now) {
            self.forget(slot);
        }
        while let Some(slot) = self.ack_waits.fire(now) {
            self.repeat_or_forget(now, slot, outbox);
        }
        self.requests.handle_timeout();
        self.all.settle();
        if self.len() == 0 {
            self.requests.settle();
        }
    }

    /// Where a request that was not there yet will be put.
    pub(super) fn bring_near(&self, key: ServerKey, merge: Option<MergeKey>) {
        self.requests.bring_near(key, merge);
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
