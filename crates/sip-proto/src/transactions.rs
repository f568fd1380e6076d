//! The transactions of one shard, RFC 3261 §17.

mod answer;
mod branch;
mod clients;
mod exchange;
mod fifo;
mod index;
mod invite;
mod limits;
mod matching;
mod remembered;
mod requests;
mod servers;
mod slab;
mod unread;

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use chappe_sip_msg::{Message, Method};

pub use branch::Branch;
use branch::Branches;
use clients::Clients;
pub use exchange::{ClientEnd, ClientId, Output, Received, Response, ServerId};
pub use limits::{Counters, Limits, Timing};
pub use matching::Identified;
use matching::Identity;
use requests::Known;
use servers::{Afterwards, Servers};
pub use unread::Unread;

use crate::Peer;
use crate::siphash::HashKey;

/// One shard's transactions.
///
/// Every call may queue outputs; drain [`Transactions::poll`] after each. The queue holds what the calls since the last
/// drain made and is not bounded otherwise.
#[derive(Debug)]
pub struct Transactions {
    shard: u16,
    match_key: HashKey,
    branches: Branches,
    servers: Servers,
    clients: Clients,
    outbox: Outbox,
}

/// What is to be done, and the counting of it.
#[derive(Debug, Default)]
struct Outbox {
    queue: VecDeque<Output>,
    counters: Counters,
}

impl Outbox {
    fn push(&mut self, output: Output) {
        self.queue.push_back(output);
    }

    fn transmit(&mut self, peer: Peer, bytes: Bytes) {
        self.push(Output::Transmit { peer, bytes });
    }
}

impl Transactions {
    /// No transactions yet. Branches, tags and hash keys follow from `seed`, which must be secret and different at each
    /// start; `shard` goes into the branches.
    pub fn new(shard: u16, seed: u64, limits: Limits) -> Self {
        let key = |purpose| HashKey::derive(seed ^ u64::from(shard).rotate_left(48), purpose);
        Self {
            shard,
            match_key: key(0),
            branches: Branches::new(shard, key(1)),
            servers: Servers::new(limits, key(2)),
            clients: Clients::new(limits),
            outbox: Outbox::default(),
        }
    }

    /// Takes a message in. A new request comes back as [`Received::Request`], everything else is dealt with here.
    pub fn receive(&mut self, now: Instant, message: &Message<'_>, peer: Peer) -> Received {
        let identified = self.identify(message);
        self.receive_identified(now, message, identified.as_ref(), peer)
    }

    /// The same with what [`identify`](Self::identify) has said of the message.
    pub fn receive_identified(
        &mut self,
        now: Instant,
        message: &Message<'_>,
        identified: Option<&Identified<'_>>,
        peer: Peer,
    ) -> Received {
        if let Some(code) = message.code() {
            return self.receive_response(message, code);
        }
        let Some(&Identified { identity, key, merge }) = identified else {
            self.outbox.counters.stray += 1;
            return Received::Stray;
        };
        self.servers.set_now(now);
        let known = self.servers.find(key);
        if identity.method == Method::Ack {
            return self.receive_ack(now, known);
        }
        if let Some(known) = known {
            self.outbox.counters.retransmissions += 1;
            self.servers.retransmission(message, &identity, (key, known), peer, &mut self.outbox);
            return Received::Absorbed;
        }
        let verdict = if merge.is_some_and(|merge| self.servers.is_merged(merge)) {
            self.outbox.counters.merged += 1;
            Received::Merged
        } else if self.servers.is_full() {
            self.outbox.counters.refused += 1;
            Received::Refused(503)
        } else {
            self.outbox.counters.requests += 1;
            let server = self.servers.insert(now, message, &identity, key, merge, peer);
            return Received::Request(server);
        };
        let code = if verdict == Received::Merged { 482 } else { 503 };
        let response = Response::new(code);
        self.servers.answer_statelessly(message, &identity, key, peer, &response, &mut self.outbox);
        verdict
    }

    fn receive_response(&mut self, message: &Message<'_>, code: u16) -> Received {
        let via = message.via().ok();
        let Some((shard, number)) = via.and_then(|via| via.branch).and_then(branch::parse) else {
            self.outbox.counters.stray += 1;
            return Received::Stray;
        };
        if shard != self.shard {
            return Received::OtherShard(shard);
        }
        let method = message.method();
        if let Some(client) = self.clients.response(number, method.as_bytes(), code) {
            return Received::Response { client, code };
        }
        // Another method, where one waits; else the answer to a request that has ended.
        if !self.clients.waits(number) && self.branches.has_made(number) {
            return Received::Absorbed;
        }
        self.outbox.counters.stray += 1;
        Received::Stray
    }

    /// What a request is known by; `None`: it is a response, or lacks what would identify it.
    pub fn identify<'m>(&self, message: &Message<'m>) -> Option<Identified<'m>> {
        let identity = if message.is_request() { Identity::of(message)? } else { return None };
        let key = identity.server_key(message, self.match_key);
        let merge = identity.merge_key(message, self.match_key);
        Some(Identified { identity, key, merge })
    }

    /// Has the processor fetch where these requests are looked for, and put, all at once: of the requests of 32 s hardly any place
    /// is in its caches, and one after the other each would be waited for.
    pub fn bring_near<'i, 'm: 'i>(&self, requests: impl Iterator<Item = &'i Identified<'m>>) {
        requests.for_each(|request| self.servers.bring_near(request.key, request.merge));
    }

    /// Whether this request repeats one that has a transaction, or is the ACK of its answer: such a one is for
    /// [`Transactions::receive`] even where new requests are refused.
    pub fn knows(&self, request: &Message<'_>) -> bool {
        let key = Identity::of(request).map(|identity| identity.server_key(request, self.match_key));
        key.is_some_and(|key| self.servers.find(key).is_some())
    }

    fn receive_ack(&mut self, now: Instant, invite: Option<Known>) -> Received {
        if invite.is_some_and(|invite| self.servers.ack(now, invite)) {
            return Received::Absorbed;
        }
        self.outbox.counters.stray += 1;
        Received::Stray
    }

    /// Answers a request. The first final answer counts; what comes after it, or later than the client waits, is
    /// dropped. Of provisional answers only 100 is sent, where RFC 4320 §4.1 allows it; on datagrams it is sent by itself
    /// in its time. A 408 is not sent, RFC 4320 §4.2.
    pub fn respond(&mut self, now: Instant, server: ServerId, response: Response) {
        self.servers.respond(now, server, &response, Afterwards::Repeat, &mut self.outbox);
    }

    /// Answers a request and forgets it: its retransmission is a new request. For a challenge, which whoever never shows
    /// credentials is not to be remembered for, RFC 3261 §26.3.2.4. An INVITE is kept until its ACK.
    pub fn respond_and_forget(&mut self, now: Instant, server: ServerId, response: Response) {
        self.servers.respond(now, server, &response, Afterwards::Forget, &mut self.outbox);
    }

    /// Answers a request without making a transaction, RFC 3261 §8.2.7: for what is refused before it costs anything. The
    /// same request gets the same answer. An ACK gets none.
    pub fn answer_statelessly(&mut self, request: &Message<'_>, peer: Peer, response: &Response) {
        if request.method() == Method::Ack {
            return;
        }
        let Some(identity) = Identity::of(request) else {
            let key = matching::unidentified(request, self.match_key);
            return self.servers.answer_unidentified(request, key, peer, response, &mut self.outbox);
        };
        let key = identity.server_key(request, self.match_key);
        self.servers.answer_statelessly(request, &identity, key, peer, response, &mut self.outbox);
    }

    /// A branch for the next request.
    pub fn new_branch(&mut self) -> Branch {
        self.branches.next()
    }

    /// Sends a non-INVITE request and repeats it until it is answered or timer F ends it. `bytes` is the whole request,
    /// with `branch` in its topmost Via; a branch serves one request.
    pub fn request(&mut self, now: Instant, branch: Branch, bytes: Bytes, peer: Peer) -> ClientId {
        self.clients.request(now, branch.number(), bytes, peer, &mut self.outbox)
    }

    /// Gives a request up: it is not sent again, and an answer to it is absorbed.
    pub fn cancel_client(&mut self, client: ClientId) {
        self.clients.cancel(client);
    }

    /// A peer can't be reached: the requests that wait for it end. Costs a look at each request that waits.
    pub fn transport_failed(&mut self, _now: Instant, peer: Peer) {
        self.clients.transport_failed(peer, &mut self.outbox);
    }

    /// Whether there is something to do.
    pub fn has_output(&self) -> bool {
        !self.outbox.queue.is_empty()
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outbox.queue.pop_front()
    }

    /// When [`Transactions::handle_timeout`] wants to be called next, at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.servers.next_timeout().into_iter().chain(self.clients.next_timeout()).min()
    }

    /// Fires the timers that are due by `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.servers.handle_timeout(now, &mut self.outbox);
        self.clients.handle_timeout(now, &mut self.outbox);
    }

    /// What happened since the start.
    pub fn counters(&self) -> Counters {
        self.outbox.counters
    }

    /// Server transactions, finished ones included.
    pub fn server_count(&self) -> usize {
        self.servers.len()
    }

    /// Requests that wait for their answer.
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }
}
