//! Requests that have more than one way to their one recipient: the servers of a domain, RFC 3263 §4.3, and a gateway that
//! asks for credentials.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use chappe_sip_msg::Message;
use chappe_sip_proto::digest::Protected;
use chappe_sip_proto::{ClientEnd, ClientId, Peer};
use hashbrown::HashMap;

use super::Shard;
use super::forks::{CopyId, Leg, SendJob};
use super::turns::Prepared;
use crate::gateway::{self, Answers, Gateway, Heeded, Purpose};
use crate::outbound::{Head, Targets, for_size, write_request};

/// The ways to the recipient of a request, which has one copy then.
#[derive(Debug)]
pub struct Ways {
    /// At least one; the leg's own peer does not count.
    pub targets: Targets,
    pub gateway: Option<Arc<Gateway>>,
}

/// A request that may be tried again.
pub(super) struct Trying {
    leg: Leg,
    rest: Vec<u8>,
    call_id: Box<str>,
    cseq: u32,
    left: VecDeque<Peer>,
    gateway: Option<Arc<Gateway>>,
    answers: Answers,
    /// Of the same device, RFC 5626.
    flows: VecDeque<Leg>,
}

/// Those of one shard; no more than there are requests under way.
#[derive(Default)]
pub(super) struct Again {
    trying: HashMap<ClientId, Box<Trying>>,
}

impl Shard {
    pub(super) fn open_by_ways(&mut self, now: Instant, job: SendJob, ways: Ways) {
        let SendJob { legs, rest, accept_after, call_id, done, .. } = job;
        let Some(leg) = legs.into_iter().next() else { return };
        let fork = self.forks.open(now + accept_after, 1, done);
        let call_id = call_id.unwrap_or_else(|| {
            self.random.uuid(&mut self.call_id);
            self.call_id.as_str().into()
        });
        let octets = self.size_of(&leg, &rest, &call_id);
        let tcp = self.profile.settings().config.tcp;
        let mut left = VecDeque::from(for_size(ways.targets, octets, tcp));
        let leg = Leg { peer: left.pop_front().unwrap_or(leg.peer), ..leg };
        // RFC 3261 §8.1.1.5 asks for less than 2^31.
        let cseq = (self.random.next() >> 35) as u32 + 1_000_000_000;
        let device = leg.device().into_owned();
        let gateway = ways.gateway;
        let (answers, flows) = (Answers::default(), VecDeque::new());
        let target = self.has_turns().then(|| self.targets.address(&leg));
        let trying = Trying { leg, rest, call_id, cseq, left, gateway, answers, flows };
        self.send_in_turn(now, fork, device, target, Prepared::Trying(Box::new(trying)));
    }

    /// A copy for a device with several flows.
    pub(super) fn open_by_flows(
        &mut self,
        now: Instant,
        fork: u64,
        mut leg: Leg,
        rest: &[u8],
        call_id: Option<&str>,
    ) {
        let target = self.has_turns().then(|| self.targets.device(&leg));
        let flows = std::mem::take(&mut leg.flows).into();
        let call_id = call_id.map(Box::from).unwrap_or_else(|| {
            self.random.uuid(&mut self.call_id);
            self.call_id.as_str().into()
        });
        let device = leg.device().into_owned();
        let trying = Trying {
            leg,
            rest: rest.to_vec(),
            call_id,
            // RFC 3261 §8.1.1.5 asks for less than 2^31.
            cseq: (self.random.next() >> 35) as u32 + 1_000_000_000,
            left: VecDeque::new(),
            gateway: None,
            answers: Answers::default(),
            flows,
        };
        self.send_in_turn(now, fork, device, target, Prepared::Trying(Box::new(trying)));
    }

    /// Octets of the whole request, but for credentials.
    fn size_of(&mut self, leg: &Leg, rest: &[u8], call_id: &str) -> usize {
        let settings = self.profile.settings();
        let branch = self.transactions.new_branch();
        let sent_by = settings.sent_by_to(&self.world, leg.peer);
        let head = Head { leg, sent_by, branch: branch.as_str(), call_id, cseq: u32::MAX };
        self.scratch.clear();
        write_request(&head, rest, &mut self.scratch);
        self.scratch.len()
    }

    pub(super) fn send_trying(&mut self, now: Instant, trying: Box<Trying>) -> ClientId {
        let Trying { leg, rest, call_id, cseq, gateway, .. } = &*trying;
        let settings = self.profile.settings();
        let branch = self.transactions.new_branch();
        let sent_by = settings.sent_by_to(&self.world, leg.peer);
        let head = Head { leg, sent_by, branch: branch.as_str(), call_id, cseq: *cseq };
        let shown = gateway.as_ref().and_then(|gateway| {
            let protected = Protected { method: "MESSAGE", uri: &leg.uri, body: body(rest) };
            gateway.shows(Purpose::Message, protected)
        });
        self.scratch.clear();
        match shown {
            Some((name, value)) => {
                let mut with = Vec::with_capacity(rest.len() + value.len() + name.len() + 4);
                for part in [name.as_bytes(), b": ", value.as_bytes(), b"\r\n", rest] {
                    with.extend_from_slice(part);
                }
                write_request(&head, &with, &mut self.scratch);
            }
            None => write_request(&head, rest, &mut self.scratch),
        }
        let bytes = Bytes::copy_from_slice(&self.scratch);
        let client = self.transactions.request(now, branch, bytes, leg.peer);
        self.tally.sent += 1;
        self.again.trying.insert(client, trying);
        client
    }

    /// Whether the request goes on another way, so that this answer is not its end.
    pub(super) fn answered_for_now(
        &mut self,
        now: Instant,
        client: ClientId,
        message: &Message<'_>,
        from: Peer,
    ) -> bool {
        let Some(mut trying) = self.again.trying.remove(&client) else { return false };
        let code = message.code().unwrap_or_default();
        if matches!(code, 401 | 407)
            && let Some(gateway) = trying.gateway.clone()
        {
            let world = self.world.clone();
            match gateway.heeds(Purpose::Message, message, from.addr.ip(), &mut trying.answers, &world.view())
            {
                Heeded::Yes => {
                    // RFC 3261 §22.2: the same Call-ID, the next CSeq.
                    trying.cseq += 1;
                    return self.go_on_trying(now, client, trying);
                }
                Heeded::NotTheirs { realm } => gateway::invalid_challenge(&self.world, &gateway, &realm),
                Heeded::No => {}
            }
        }
        if code == 503
            && let Some(next) = trying.left.pop_front()
        {
            trying.leg.peer = next;
            return self.go_on_trying(now, client, trying);
        }
        // RFC 5626 §5.3.
        if matches!(code, 430 | 503)
            && let Some(flow) = trying.flows.pop_front()
        {
            trying.leg = flow;
            return self.go_on_trying(now, client, trying);
        }
        count(&trying, (200..300).contains(&code));
        false
    }

    /// The same for one that nobody answered.
    pub(super) fn ended_for_now(&mut self, now: Instant, client: ClientId, why: ClientEnd) -> bool {
        let Some(mut trying) = self.again.trying.remove(&client) else { return false };
        match trying.left.pop_front().filter(|_| why != ClientEnd::TooMany) {
            Some(next) => {
                trying.leg.peer = next;
                self.go_on_trying(now, client, trying)
            }
            None if why != ClientEnd::TooMany && !trying.flows.is_empty() => {
                if let Some(flow) = trying.flows.pop_front() {
                    trying.leg = flow;
                }
                self.go_on_trying(now, client, trying)
            }
            None => {
                count(&trying, false);
                false
            }
        }
    }

    fn go_on_trying(&mut self, now: Instant, before: ClientId, trying: Box<Trying>) -> bool {
        let client = self.send_trying(now, trying);
        self.forks.moved(CopyId::Sent(before), CopyId::Sent(client));
        true
    }
}

/// What comes after the headers.
fn body(rest: &[u8]) -> &[u8] {
    let end = rest.windows(4).position(|four| four == b"\r\n\r\n");
    end.map_or(&[], |end| &rest[end + 4..])
}

fn count(trying: &Trying, taken: bool) {
    let Some(gateway) = &trying.gateway else { return };
    gateway.counts.sent.fetch_add(1, Ordering::Relaxed);
    if !taken {
        gateway.counts.failed.fetch_add(1, Ordering::Relaxed);
    }
}
