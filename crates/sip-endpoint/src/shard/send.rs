//! What goes out: requests of the flows, and what the transactions want to be sent.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use chappe_sip_proto::{ClientEnd, Output, Peer, Transport};
use smallvec::SmallVec;

use super::forks::{LegEnd, SendJob};
use super::receive::trace;
use super::turns::Prepared;
use super::{Shard, local};
use crate::outbound::{Head, write_request};
use crate::transport::udp::Pair;

impl Shard {
    /// Opens the requests that flows and mail have left.
    pub(super) fn send_jobs(&mut self, now: Instant) {
        if self.jobs.is_empty() {
            local::take_into(&mut self.jobs);
        }
        let mut jobs = std::mem::take(&mut self.jobs);
        for job in jobs.drain(..) {
            self.open(now, job);
        }
        self.jobs = jobs;
    }

    fn open(&mut self, now: Instant, job: SendJob) {
        let mut job = job;
        if let Some(ways) = job.ways.take() {
            return self.open_by_ways(now, job, *ways);
        }
        let SendJob { legs, rest, accept_after, call_id, done, .. } = job;
        let settings = self.profile.settings();
        let fork = self.forks.open(now + accept_after, legs.len(), done);
        for leg in legs {
            if !leg.flows.is_empty() {
                self.open_by_flows(now, fork, leg, &rest, call_id.as_deref());
                continue;
            }
            let branch = self.transactions.new_branch();
            match &call_id {
                Some(call_id) => {
                    self.call_id.clear();
                    self.call_id.push_str(call_id);
                }
                None => self.random.uuid(&mut self.call_id),
            }
            // RFC 3261 §8.1.1.5 asks for less than 2^31. Always ten digits, so that requests which differ in nothing else are
            // equally long and leave as one train.
            let cseq = (self.random.next() >> 35) as u32 + 1_000_000_000;
            let sent_by = settings.sent_by_to(&self.world, leg.peer);
            let head = Head { leg: &leg, sent_by, branch: branch.as_str(), call_id: &self.call_id, cseq };
            self.scratch.clear();
            write_request(&head, &rest, &mut self.scratch);
            let bytes = Bytes::copy_from_slice(&self.scratch);
            let target = self.has_turns().then(|| self.targets.device(&leg));
            let copy = Prepared::Written { branch, bytes, peer: leg.peer };
            let device = match leg.device() {
                Cow::Borrowed(_) => leg.uri,
                Cow::Owned(masked) => masked,
            };
            self.send_in_turn(now, fork, device, target, copy);
        }
    }

    pub(super) fn drain_outputs(&mut self, now: Instant) {
        while let Some(output) = self.transactions.poll() {
            match output {
                Output::Transmit { peer, bytes } => self.transmit(now, peer, bytes),
                Output::ClientEnded { client, why } => {
                    if self.upkeep_ended(now, client, why)
                        || self.ended_for_now(now, client, why)
                        || self.pinged(now, client, 0, "")
                    {
                        continue;
                    }
                    self.profile.counters.sent_failed.fetch_add(1, Ordering::Relaxed);
                    let end = match why {
                        ClientEnd::TimedOut => LegEnd::TimedOut,
                        ClientEnd::TooMany => LegEnd::TooMany,
                        _ => LegEnd::Unreachable,
                    };
                    self.copy_ended(client, end);
                }
            }
        }
    }

    pub(super) fn transmit(&mut self, now: Instant, peer: Peer, bytes: Bytes) {
        if self.profile.is_traced() {
            trace("send", "to", peer, &bytes);
        }
        match peer.transport {
            Transport::Udp => self.out.push(peer.addr, &bytes),
            _ => {
                if self.profile.connections().send(peer, bytes).is_err() {
                    self.transactions.transport_failed(now, peer);
                }
            }
        }
    }

    /// Whether it is worth another look at the transactions: some peers can't be reached.
    pub(super) fn flush(&mut self, now: Instant, sockets: &Pair) -> bool {
        self.tally.tell(&self.profile.counters);
        let mut failed: SmallVec<[Peer; 4]> = SmallVec::new();
        self.out.flush(&sockets.requests, |to, error| {
            tracing::debug!(%to, %error, "a datagram can't be sent");
            if error.kind() != std::io::ErrorKind::WouldBlock {
                failed.push(Peer::udp(to));
            }
        });
        for peer in &failed {
            self.transactions.transport_failed(now, *peer);
        }
        !failed.is_empty()
    }
}
