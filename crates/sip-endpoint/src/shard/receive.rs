//! What comes in: datagrams, frames of connections, mail of other threads.

use std::net::UdpSocket;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use chappe_sip_msg::{Message, Start};
use chappe_sip_proto::{Peer, Received};

use super::forks::LegEnd;
use super::{Mail, Mailbox, Shard};
use crate::inbound::{self, Asked, Request};
use crate::transport::mmsg::RecvBatch;

/// Batches read before other work gets its turn.
const BATCHES: usize = 4;
/// Mail taken before other work gets its turn.
const MAILS: usize = 256;

impl Shard {
    pub(super) fn datagrams(
        &mut self,
        now: Instant,
        mailbox: &Mailbox,
        socket: &UdpSocket,
        batch: &mut RecvBatch,
    ) {
        let draining = mailbox.is_draining();
        let listens = self.profile.settings().config.udp;
        for _ in 0..BATCHES {
            let count = match batch.receive(socket) {
                Ok(count) => count,
                Err(error) => return tracing::debug!(%error, "datagrams can't be read"),
            };
            for (datagram, from) in batch.datagrams().filter(|_| listens) {
                self.receive(now, datagram, Peer::udp(from), draining);
            }
            self.settle(now);
            self.flush(now, socket);
            if count < batch.capacity() {
                return;
            }
        }
    }

    pub(super) fn mail(&mut self, now: Instant, mailbox: &Mailbox) {
        let draining = mailbox.is_draining();
        for _ in 0..MAILS {
            match mailbox.take() {
                Some(Mail::Frame { peer, bytes }) => self.receive(now, &bytes, peer, draining),
                Some(Mail::Refused { peer, bytes, code }) => self.refuse(&bytes, peer, code),
                Some(Mail::Send(job)) => self.jobs.push(*job),
                Some(Mail::Work(work)) => self.adopt(now, work),
                Some(Mail::Gateway(mail)) => self.gateway_mail(now, *mail),
                Some(Mail::Ended(peer)) => self.connection_ended(now, peer),
                Some(Mail::Unreachable(peer)) => self.unreachable(now, peer),
                None => return,
            }
        }
    }

    /// The other shards hear of it from here, so that an answer which came just before, and was handed over, is there
    /// first.
    fn connection_ended(&mut self, now: Instant, peer: Peer) {
        let all = (0..).map_while(|shard| Some((shard, self.profile.mailbox(shard)?)));
        for (_, mailbox) in all.filter(|(shard, _)| *shard != self.index) {
            if mailbox.post(Mail::Unreachable(peer)).is_err() {
                tracing::debug!("a shard's mailbox is full, it will find out by its timers");
            }
        }
        self.unreachable(now, peer);
    }

    /// Both what went down this connection and what was sent to its address without one.
    fn unreachable(&mut self, now: Instant, peer: Peer) {
        self.transactions.transport_failed(now, peer);
        self.transactions.transport_failed(now, Peer { connection: None, ..peer });
    }

    /// One message of any kind; what is no message is dropped.
    fn receive(&mut self, now: Instant, bytes: &[u8], peer: Peer, draining: bool) {
        if self.profile.is_traced() {
            trace("recv", "from", peer, bytes);
        }
        match chappe_sip_msg::parse(bytes) {
            Ok(message) => self.message(now, &message, peer, draining),
            Err(error) => {
                let Some(request) = error.answerable() else { return };
                tracing::debug!(%peer, %error, "a request is refused");
                let response = inbound::answer(error.status());
                self.transactions.answer_statelessly(request, peer, &response);
            }
        }
    }

    fn refuse(&mut self, bytes: &[u8], peer: Peer, code: u16) {
        let response = inbound::answer(code);
        match chappe_sip_msg::parse(bytes) {
            Ok(message) if message.is_request() => {
                self.transactions.answer_statelessly(&message, peer, &response);
            }
            Ok(_) => {}
            Err(error) => {
                let Some(request) = error.answerable() else { return };
                self.transactions.answer_statelessly(request, peer, &response);
            }
        }
    }

    fn message(&mut self, now: Instant, message: &Message<'_>, peer: Peer, draining: bool) {
        let refused = message.is_request() && (draining || !self.profile.admits(self.second));
        if refused && !self.transactions.knows(message) {
            // RFC 3261 §21.5.4; without a transaction, so that it costs little.
            return self.transactions.answer_statelessly(message, peer, &inbound::overloaded(1));
        }
        match self.transactions.receive(now, message, peer) {
            Received::Request(server) => {
                self.profile.counters.requests.fetch_add(1, Ordering::Relaxed);
                let asked = Asked::NotYet;
                inbound::handle(self, &Request { message, peer, server, now, asked });
            }
            Received::Response { client, code } if code >= 200 => {
                if self.upkeep_answered(now, client, message, peer)
                    || self.answered_for_now(now, client, message, peer)
                {
                    return;
                }
                self.forks.ended(client, LegEnd::Answer { code, reason: phrase(message, code) });
            }
            Received::OtherShard(shard) => self.hand_over(shard, peer, message.bytes()),
            Received::Response { .. }
            | Received::Absorbed
            | Received::Merged
            | Received::Stray
            | Received::Refused(_) => {}
        }
    }

    /// The kernel spreads datagrams by sender; a response belongs where its request was sent.
    fn hand_over(&self, shard: u16, peer: Peer, bytes: &[u8]) {
        let mail = Mail::Frame { peer, bytes: Bytes::copy_from_slice(bytes) };
        let Some(mailbox) = self.profile.mailbox(shard).filter(|_| shard != self.index) else { return };
        if mailbox.post(mail).is_err() {
            tracing::debug!("a shard's mailbox is full, a response is dropped");
        }
    }
}

/// What `siptrace` shows of a message.
pub(super) fn trace(what: &str, direction: &str, peer: Peer, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    tracing::info!(clean = true, "{what} {} bytes {direction} {peer}\n{text}", bytes.len());
}

/// The reason phrase, wanted of refusals alone.
fn phrase(message: &Message<'_>, code: u16) -> String {
    match message.start() {
        Start::Response { reason, .. } if code >= 300 => String::from_utf8_lossy(reason).into_owned(),
        _ => String::new(),
    }
}
