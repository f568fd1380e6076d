//! Non-INVITE client transactions, RFC 3261 §17.1.2 with RFC 4320.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::branch::BranchNumber;
use super::exchange::{ClientEnd, ClientId, Output};
use super::fifo::Fifo;
use super::index::Index;
use super::slab::{Slab, Slot};
use super::{Limits, Outbox};
use crate::Peer;

/// A request that waits for its final answer: states Trying and Proceeding.
#[derive(Debug)]
struct Client {
    number: BranchNumber,
    peer: Peer,
    bytes: Bytes,
    /// When timer F ends it.
    until: Instant,
    /// Which of the intervals timer E is at.
    interval: u8,
}

/// The requests one shard sent.
///
/// A request whose final answer came leaves nothing behind. State Completed is there so that answers which come again are
/// absorbed until timer K fires; that a branch is one of ours can be seen from the branch itself, whenever that is.
#[derive(Debug)]
pub(super) struct Clients {
    limits: Limits,
    waiting: Slab<Client>,
    by_number: Index<u32>,
    /// Timer E, one queue for each of its intervals, T1 to T2. A request has one timer at a time, so one that was
    /// answered leaves its timer behind for T2 at most.
    retry: Vec<Fifo<Slot>>,
    /// The rest of timer F, when it is shorter than the next interval.
    rest: Fifo<Slot>,
}

impl Clients {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            waiting: Slab::for_most(limits.clients),
            by_number: Index::for_most(limits.clients),
            retry: limits.timing.intervals().into_iter().map(Fifo::new).collect(),
            rest: Fifo::new(Duration::ZERO),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Sends a request and keeps it until it is answered.
    pub(super) fn request(
        &mut self,
        now: Instant,
        number: BranchNumber,
        bytes: Bytes,
        peer: Peer,
        outbox: &mut Outbox,
    ) -> ClientId {
        let until = now + self.limits.timing.t1x64;
        let client = Client { number, peer, bytes: bytes.clone(), until, interval: 0 };
        let slot = self.waiting.insert(client);
        if self.waiting.len() > self.limits.clients {
            self.waiting.remove(slot);
            outbox.counters.not_sent += 1;
            outbox.push(Output::ClientEnded { client: ClientId(slot), why: ClientEnd::TooMany });
            return ClientId(slot);
        }
        let waiting = &self.waiting;
        self.by_number.insert_unique(number.secret, slot.index(), |index| hash_of(waiting, *index));
        self.start_timer(now, slot, peer, until);
        outbox.counters.sent += 1;
        outbox.transmit(peer, bytes);
        ClientId(slot)
    }

    /// Timer E on datagrams. A reliable transport retransmits by itself; there the longest interval only leads to F.
    fn start_timer(&mut self, now: Instant, slot: Slot, peer: Peer, until: Instant) {
        let interval = if peer.transport.is_reliable() { self.retry.len() - 1 } else { 0 };
        if let Some(client) = self.waiting.get_mut(slot) {
            client.interval = interval as u8;
        }
        self.set_timer(now, slot, interval, until);
    }

    fn set_timer(&mut self, now: Instant, slot: Slot, interval: usize, until: Instant) {
        let queue = &mut self.retry[interval];
        if now + queue.after() < until {
            queue.set(now, slot);
        } else {
            self.rest.set_at(until, slot);
        }
    }

    /// RFC 3261 §17.1.3: branch and CSeq method make the match. `None`: no request waits for this.
    pub(super) fn response(&mut self, number: BranchNumber, method: &[u8], code: u16) -> Option<ClientId> {
        let slot = self.find(number).filter(|slot| self.is_method(*slot, method))?;
        if code < 200 {
            self.proceed(slot);
        } else {
            self.forget(slot);
        }
        Some(ClientId(slot))
    }

    /// Whether a request with this branch waits for its answer.
    pub(super) fn waits(&self, number: BranchNumber) -> bool {
        self.find(number).is_some()
    }

    fn find(&self, number: BranchNumber) -> Option<Slot> {
        let is_it = |index: &u32| self.waiting.at(*index).is_some_and(|(_, client)| client.number == number);
        let index = self.by_number.find(number.secret, is_it)?;
        self.waiting.at(*index).map(|(slot, _)| slot)
    }

    fn is_method(&self, slot: Slot, method: &[u8]) -> bool {
        let client = self.waiting.get(slot);
        client.is_some_and(|client| {
            client.bytes.strip_prefix(method).is_some_and(|rest| rest.starts_with(b" "))
        })
    }

    /// RFC 3261 §17.1.2.2: in Proceeding timer E runs at T2.
    fn proceed(&mut self, slot: Slot) {
        let last = self.retry.len() - 1;
        if let Some(client) = self.waiting.get_mut(slot) {
            client.interval = last as u8;
        }
    }

    fn forget(&mut self, slot: Slot) -> Option<Client> {
        let client = self.waiting.remove(slot)?;
        self.by_number.remove(client.number.secret, |index| *index == slot.index());
        Some(client)
    }

    /// Gives a request up; nothing more is heard of it.
    pub(super) fn cancel(&mut self, client: ClientId) {
        self.forget(client.0);
    }

    /// RFC 3261 §17.1.4: a peer that can't be reached ends the requests sent to it.
    pub(super) fn transport_failed(&mut self, peer: Peer, outbox: &mut Outbox) {
        let to_peer = self.waiting.iter().filter(|(_, client)| client.peer == peer);
        let slots: Vec<Slot> = to_peer.map(|(slot, _)| slot).collect();
        for slot in slots {
            self.end(slot, ClientEnd::TransportError, outbox);
        }
    }

    fn end(&mut self, slot: Slot, why: ClientEnd, outbox: &mut Outbox) {
        if self.forget(slot).is_some() {
            outbox.push(Output::ClientEnded { client: ClientId(slot), why });
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let retries = self.retry.iter().filter_map(Fifo::next);
        retries.chain(self.rest.next()).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) {
        for interval in 0..self.retry.len() {
            while let Some(slot) = self.retry[interval].fire(now) {
                self.retry_or_end(now, slot, outbox);
            }
        }
        while let Some(slot) = self.rest.fire(now) {
            self.retry_or_end(now, slot, outbox);
        }
    }

    fn retry_or_end(&mut self, now: Instant, slot: Slot, outbox: &mut Outbox) {
        let last = self.retry.len() - 1;
        let Some(client) = self.waiting.get_mut(slot) else {
            return;
        };
        if client.until <= now {
            outbox.counters.timed_out += 1;
            return self.end(slot, ClientEnd::TimedOut, outbox);
        }
        let interval = (usize::from(client.interval) + 1).min(last);
        client.interval = interval as u8;
        let until = client.until;
        if !client.peer.transport.is_reliable() {
            outbox.counters.resent += 1;
            outbox.transmit(client.peer, client.bytes.clone());
        }
        self.set_timer(now, slot, interval, until);
    }
}

fn hash_of(waiting: &Slab<Client>, index: u32) -> u64 {
    waiting.at(index).map_or(0, |(_, client)| client.number.secret)
}
