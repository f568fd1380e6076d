//! What comes in: datagrams, frames of connections, mail of other threads.

use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use bytes::Bytes;
use chappe_sip_msg::{Message, Method, ParseError, Start, stun};
use chappe_sip_proto::registrar::Aor;
use chappe_sip_proto::{Identified, Peer, Received, Response, ServerId, Transport};

use super::forks::LegEnd;
use super::overload::Read;
use super::{BATCH, Mail, Mailbox, Shard};
use crate::guard::{self, Entry};
use crate::inbound::{self, Asked, Request};
use crate::transport::mmsg::{Ready, RecvBatch};
use crate::transport::udp::Pair;

/// Batches of requests read before other work gets its turn.
const BATCHES: usize = 4;
/// Batches of answers read before requests get their turn.
const ANSWERS: usize = 64;
/// Mail taken before other work gets its turn.
const MAILS: usize = 256;

impl Shard {
    /// Reads what came. Answers first, to the last: they end what is under way.
    pub(super) fn datagrams(
        &mut self,
        now: Instant,
        mailbox: &Mailbox,
        sockets: &Pair,
        batch: &mut RecvBatch,
        ready: Ready,
    ) {
        for turn in 0..BATCHES {
            if let Some(answers) = sockets.answers.as_ref().filter(|_| ready.answers || turn > 0) {
                self.answers(now, mailbox, answers, batch);
            }
            let is_full = ready.requests && self.requests(now, mailbox, &sockets.requests, batch);
            self.settle(now);
            self.flush(now, sockets);
            if !is_full {
                return;
            }
        }
    }

    fn answers(&mut self, now: Instant, mailbox: &Mailbox, socket: &UdpSocket, batch: &mut RecvBatch) {
        for _ in 0..ANSWERS {
            let count = self.read(socket, batch);
            self.receive_all(now, mailbox, batch);
            if count < batch.capacity() {
                return;
            }
        }
    }

    /// Reads once; whether there may be more.
    fn requests(
        &mut self,
        now: Instant,
        mailbox: &Mailbox,
        socket: &UdpSocket,
        batch: &mut RecvBatch,
    ) -> bool {
        let count = self.read(socket, batch);
        let is_full = count == batch.capacity();
        let read = Read { count, waited: batch.waited(), is_full, has_room: !self.flows_are_full() };
        let most = self.profile.settings().config.max_request_age;
        let verdict = self.gate.judge(Instant::now(), read, most);
        if self.gate.is_open(verdict) {
            self.receive_all(now, mailbox, batch);
        } else {
            self.shed(now, mailbox, verdict, batch);
        }
        is_full
    }

    fn read(&self, socket: &UdpSocket, batch: &mut RecvBatch) -> usize {
        batch.receive(socket).unwrap_or_else(|error| {
            tracing::debug!(%error, "datagrams can't be read");
            0
        })
    }

    fn receive_all(&mut self, now: Instant, mailbox: &Mailbox, batch: &RecvBatch) {
        let draining = mailbox.is_draining();
        let listens = self.profile.settings().config.udp;
        if listens {
            let datagrams = batch.datagrams().map(|(datagram, from)| (datagram, Peer::udp(from)));
            self.receive(now, datagrams, draining);
        }
    }

    /// RFC 5626 §3.5.2, §8.
    fn keep_alive(&mut self, datagram: &[u8], from: SocketAddr) {
        if let Some(answer) = stun::answer(datagram, from) {
            self.out.push(from, &answer);
        }
    }

    pub(super) fn mail(&mut self, now: Instant, mailbox: &Mailbox) {
        while let Some((number, turn)) = mailbox.next_turn() {
            self.turns.add(number, turn);
        }
        let draining = mailbox.is_draining();
        for _ in 0..MAILS {
            let Some((posted, mail)) = mailbox.take() else { return };
            match mail {
                Mail::Frame { peer, bytes } if self.is_late(posted, mailbox.len(), &bytes) => {
                    self.refuse_late(now, &bytes, peer, draining);
                }
                Mail::Frame { peer, bytes } => self.receive_one(now, &bytes, peer, draining),
                Mail::Refused { peer, bytes, code } => self.refuse(&bytes, peer, &inbound::answer(code)),
                Mail::Send(job) => self.jobs.push(*job),
                Mail::Work(work) => self.adopt(work),
                Mail::Gateway(mail) => self.gateway_mail(now, *mail),
                Mail::Ended(peer) => self.connection_ended(now, peer),
                Mail::Unreachable(peer) => self.unreachable(now, peer),
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

    pub(super) fn receive_one(&mut self, now: Instant, bytes: &[u8], peer: Peer, draining: bool) {
        self.receive(now, std::iter::once((bytes, peer)), draining);
    }

    /// Messages of any kind; what is no message is dropped.
    ///
    /// They go through each stage together. The code of the whole way is several times as large as a processor's
    /// instruction cache, that of one stage is not.
    pub(super) fn receive<'b>(
        &mut self,
        now: Instant,
        all: impl Iterator<Item = (&'b [u8], Peer)>,
        draining: bool,
    ) {
        let mut parsed = Vec::with_capacity(BATCH);
        let on_duty = guard::is_on_duty(&self.world, &self.profile.settings().config.guard);
        for (bytes, peer) in all {
            if on_duty && !self.lets_in(now, bytes, peer) {
                continue;
            }
            if self.profile.is_traced() {
                trace("recv", "from", peer, bytes);
            }
            // As it comes: a message is large to move.
            parsed.push((chappe_sip_msg::parse(bytes), bytes, peer));
        }
        let identify = |result: &Result<Message<'b>, _>| self.transactions.identify(result.as_ref().ok()?);
        let identified: Vec<_> = parsed.iter().map(|(result, ..)| identify(result)).collect();
        self.transactions.bring_near(identified.iter().flatten());
        let mut requests = Vec::with_capacity(parsed.len());
        for ((result, bytes, peer), identified) in parsed.iter().zip(&identified) {
            match result {
                Ok(message) => {
                    let server = self.message(now, message, identified.as_ref(), *peer, draining);
                    requests.extend(server.map(|server| (message, *peer, server)));
                }
                Err(error) => self.no_message(error, bytes, *peer),
            }
        }
        for &(message, peer, server) in &requests {
            let asked = Asked::NotYet;
            inbound::handle(self, &Request { message, peer, server, now, asked });
        }
        if requests.len() > 1 {
            self.bring_recipients_near(requests.iter().map(|(message, ..)| *message));
        }
    }

    /// Whom the flows are most likely to look up.
    fn bring_recipients_near<'m, 'b: 'm>(&self, requests: impl Iterator<Item = &'m Message<'b>>) {
        let (settings, registrar) = (self.profile.settings(), &self.profile.registrar);
        let mut aor = String::new();
        let recipient = |request: &Message<'_>| {
            let to = request.to().ok().filter(|_| request.method() == Method::Message)?.uri;
            let (user, host) = (str::from_utf8(to.user?).ok()?, str::from_utf8(to.host).ok()?);
            aor.clear();
            Aor::write(user, settings.config.db_domain(host), &mut aor);
            Some(registrar.hash(&aor))
        };
        let mut users: Vec<_> = requests.filter_map(recipient).collect();
        registrar.bring_near(&mut users);
    }

    /// What may be read of what came; the rest is answered, if at all.
    fn lets_in(&mut self, now: Instant, bytes: &[u8], peer: Peer) -> bool {
        let entry = guard::entry(&self.world, &self.profile, peer, bytes, now);
        match entry {
            Entry::Open => {}
            Entry::Closed if peer.connection.is_some() => {
                self.profile.connections().end(|other| other.connection == peer.connection);
            }
            Entry::Closed => {}
            Entry::Forbidden => self.refuse(bytes, peer, &inbound::answer(403)),
            Entry::Later(seconds) => self.refuse(bytes, peer, &inbound::overloaded(seconds)),
        }
        entry == Entry::Open
    }

    /// A keep-alive, a request that is answered all the same, or nothing.
    fn no_message(&mut self, error: &ParseError<'_>, bytes: &[u8], peer: Peer) {
        if peer.transport == Transport::Udp && stun::is_stun(bytes) {
            return self.keep_alive(bytes, peer.addr);
        }
        let Some(request) = error.answerable() else { return };
        tracing::debug!(%peer, %error, "a request is refused");
        self.transactions.answer_statelessly(
            request,
            peer,
            &inbound::malformed(error.fault(), request.method()),
        );
    }

    fn refuse(&mut self, bytes: &[u8], peer: Peer, response: &Response) {
        match chappe_sip_msg::parse(bytes) {
            Ok(message) if message.is_request() => {
                self.transactions.answer_statelessly(&message, peer, response);
            }
            Ok(_) => {}
            Err(error) => {
                let Some(request) = error.answerable() else { return };
                self.transactions.answer_statelessly(request, peer, response);
            }
        }
    }

    /// Its transaction, if it is a request that has to be dealt with.
    fn message(
        &mut self,
        now: Instant,
        message: &Message<'_>,
        identified: Option<&Identified<'_>>,
        peer: Peer,
        draining: bool,
    ) -> Option<ServerId> {
        let refused = message.is_request() && (draining || !self.profile.admits(self.second));
        if refused && !self.transactions.knows(message) {
            // RFC 3261 §21.5.4; without a transaction, so that it costs little.
            self.transactions.answer_statelessly(message, peer, &inbound::overloaded(1));
            return None;
        }
        match self.transactions.receive_identified(now, message, identified, peer) {
            Received::Request(server) => {
                self.tally.requests += 1;
                return Some(server);
            }
            Received::Response { client, code } if code >= 200 => {
                if self.upkeep_answered(now, client, message, peer)
                    || self.answered_for_now(now, client, message, peer)
                    || !self.pings.is_empty() && self.pinged(now, client, code, &phrase(message, 300))
                {
                    return None;
                }
                self.copy_ended(client, LegEnd::Answer { code, reason: phrase(message, code) });
            }
            Received::OtherShard(shard) => self.hand_over(shard, peer, message.bytes()),
            Received::Response { .. }
            | Received::Absorbed
            | Received::Merged
            | Received::Stray
            | Received::Refused(_) => {}
        }
        None
    }

    /// A response belongs where its request was sent. The kernel leads it there where its Via stands first, in a long enough datagram.
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
