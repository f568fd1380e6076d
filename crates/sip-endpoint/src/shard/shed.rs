//! What the [`Gate`](super::overload::Gate) does not let in: refused in a few hundred nanoseconds, or dropped.

use std::net::UdpSocket;
use std::sync::atomic::Ordering;
use std::time::Instant;

use chappe_sip_proto::{Peer, Unread};

use super::overload::{Fate, Read, Told, Verdict};
use super::receive::trace;
use super::{BATCH, Mailbox, Shard, TICK};
use crate::transport::mmsg::{self, RecvBatch};
use crate::transport::sieve;
use crate::transport::udp::Pair;

/// Retry-After in seconds, so that not all come back at once.
const RETRY_AFTER: [&[u8]; 5] = [b"1", b"2", b"3", b"4", b"5"];

impl Shard {
    /// Deals with a read of which not everything is served.
    pub(super) fn shed(&mut self, now: Instant, mailbox: &Mailbox, verdict: Verdict, batch: &RecvBatch) {
        let (mut refused, mut dropped) = (0u32, 0u32);
        let mut served = Vec::with_capacity(BATCH);
        for (datagram, from) in batch.datagrams() {
            let peer = Peer::udp(from);
            match self.gate.fate(verdict, datagram) {
                Fate::Refuse if self.refuse_unread(datagram, peer) => refused += 1,
                Fate::Serve | Fate::Refuse => served.push((datagram, peer)),
                Fate::Drop => dropped += 1,
            }
        }
        let counters = &self.profile.counters;
        counters.dropped.fetch_add(u64::from(dropped), Ordering::Relaxed);
        counters.shed.fetch_add(u64::from(refused), Ordering::Relaxed);
        let (draining, listens) = (mailbox.is_draining(), self.profile.settings().config.udp);
        if listens {
            self.receive(now, served.into_iter(), draining);
        }
    }

    /// Has the kernel drop what would be dropped here, where it costs less.
    pub(super) fn sieve(&mut self, socket: &UdpSocket) {
        let wanted = self.gate.sieve();
        let is_near = match (self.sieved, wanted) {
            (None, None) => true,
            // What the kernel lets through is dropped here.
            (Some(is), Some((_, kept))) => kept <= is && kept > is / 10 * 9,
            _ => false,
        };
        if is_near {
            return;
        }
        let done = match wanted {
            Some((seed, kept)) => sieve::put(socket, seed, kept),
            None => sieve::lift(socket),
        };
        if let Err(error) = done {
            tracing::debug!(%error, "the system does not sieve datagrams");
        }
        self.sieved = wanted.map(|(_, kept)| kept);
    }

    /// `false`: it has to be looked at more closely.
    fn refuse_unread(&mut self, datagram: &[u8], peer: Peer) -> bool {
        let seconds = RETRY_AFTER[self.random.next() as usize % RETRY_AFTER.len()];
        let Self { transactions, out, .. } = self;
        let is_refused = out.push_written(|octets| {
            match transactions.refuse_unread(datagram, peer, 503, ("Retry-After", seconds), octets) {
                Unread::Refused(to) => Some(to.addr),
                Unread::Known | Unread::Odd => None,
            }
        });
        if is_refused && self.profile.is_traced() {
            trace("recv", "from", peer, datagram);
            trace("send", "to", peer, self.out.last().unwrap_or_default());
        }
        is_refused
    }

    /// Whether a frame of a connection has waited too long among so many others.
    pub(super) fn is_late(&mut self, posted: Instant, waiting: usize, frame: &[u8]) -> bool {
        let now = Instant::now();
        let waited = now.saturating_duration_since(posted);
        let read = Read { count: 1, waited, is_full: waiting >= BATCH, has_room: !self.flows_are_full() };
        let verdict = self.streams.judge(now, read, self.profile.settings().config.max_request_age);
        self.streams.fate(verdict, frame) != Fate::Serve
    }

    /// A frame that is too late. It is never dropped: nobody would send it again.
    pub(super) fn refuse_late(&mut self, now: Instant, frame: &[u8], peer: Peer, draining: bool) {
        let seconds = RETRY_AFTER[self.random.next() as usize % RETRY_AFTER.len()];
        let mut answer = Vec::new();
        let header = ("Retry-After", seconds);
        match self.transactions.refuse_unread(frame, peer, 503, header, &mut answer) {
            Unread::Refused(to) => {
                self.profile.counters.shed.fetch_add(1, Ordering::Relaxed);
                self.transmit(now, to, answer.into());
            }
            Unread::Known | Unread::Odd => self.receive_one(now, frame, peer, draining),
        }
    }

    /// Adds up what the sockets had no room for.
    pub(super) fn count_lost(&mut self, now: Instant, sockets: &Pair) {
        if now < self.lost.next {
            return;
        }
        self.lost.next = now + TICK;
        let of = |socket| mmsg::lost(socket).unwrap_or_default();
        let count = of(&sockets.requests).wrapping_add(sockets.answers.as_ref().map_or(0, of));
        let more = count.wrapping_sub(std::mem::replace(&mut self.lost.count, count));
        self.profile.counters.dropped.fetch_add(u64::from(more), Ordering::Relaxed);
    }

    /// Once a second: a line about what was shed since the last one, and one when it is over.
    pub(super) fn tell_of_overload(&mut self) {
        let counters = &self.profile.counters;
        let [shed, dropped] = [&counters.shed, &counters.dropped].map(|count| count.load(Ordering::Relaxed));
        let name = &self.profile.name;
        let told = self.telling.tell(shed, dropped);
        counters.is_shedding.store(matches!(told, Some(Told::Shedding { .. })), Ordering::Relaxed);
        match told {
            Some(Told::Shedding { shed, dropped }) => tracing::warn!(
                "profile {name} has more requests than it can serve: {shed} answered 503 and {dropped} dropped in the last \
                 second"
            ),
            Some(Told::Over { shed, dropped }) => tracing::warn!(
                "profile {name} serves all requests again, after {shed} answered 503 and {dropped} dropped"
            ),
            None => {}
        }
    }
}
