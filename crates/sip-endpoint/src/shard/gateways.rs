//! The requests that keep gateways registered and tell whether they are there: on a profile's first shard.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_sip_msg::Message;
use chappe_sip_proto::digest::Protected;
use chappe_sip_proto::{ClientEnd, ClientId, Peer};
use hashbrown::HashMap;

use super::{Mail, Mailbox, Shard};
use crate::gateway::{self, Answer, Answers, Gateway, Heeded, Input, Output, Purpose};
use crate::outbound::{Targets, for_size, reachable};
use crate::world::World;

/// Octets of a REGISTER, roughly: it is never large.
const SIZE: usize = 700;

/// What others have for the shard that looks after a gateway.
pub struct GatewayMail {
    pub gateway: Arc<Gateway>,
    pub news: News,
}

pub enum News {
    Happened(Input),
    /// Where the gateway is.
    Found {
        what: What,
        targets: Targets,
    },
}

/// What a request to a gateway is for.
#[derive(Clone, Copy, Debug)]
pub enum What {
    Register { attempt: u32, expires: u32 },
    Ping,
}

/// A request that waits for its answer.
struct Pending {
    gateway: Arc<Gateway>,
    what: What,
    peer: Peer,
    /// Where to try next.
    left: VecDeque<Peer>,
    answers: Answers,
}

/// The requests under way, one a gateway and purpose.
pub(super) struct Upkeep {
    pending: HashMap<ClientId, Pending>,
    due: Option<Instant>,
}

impl Upkeep {
    /// Looks at the gateways as soon as it can.
    pub(super) fn new(now: Instant) -> Self {
        Self { pending: HashMap::new(), due: Some(now) }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }
}

impl Shard {
    /// Whether no gateway waits to be left.
    pub(super) fn gateways_are_quiet(&self) -> bool {
        self.index != 0 || self.profile.gateways.are_quiet()
    }

    pub(super) fn keep_gateways(&mut self, now: Instant) {
        if self.index != 0 || self.upkeep.due.is_none_or(|due| now < due) {
            return;
        }
        for gateway in self.profile.clone().gateways.all().iter() {
            self.tell_gateway(now, gateway, Input::Timeout);
        }
        self.plan_upkeep();
    }

    fn plan_upkeep(&mut self) {
        let all = self.profile.gateways.all();
        self.upkeep.due = all.iter().filter_map(|gateway| gateway.registration().poll_timeout()).min();
    }

    pub(super) fn gateway_mail(&mut self, now: Instant, mail: GatewayMail) {
        let GatewayMail { gateway, news } = mail;
        match news {
            News::Happened(input) => self.tell_gateway(now, &gateway, input),
            News::Found { what, targets } => self.gateway_found(now, gateway, what, targets),
        }
        self.plan_upkeep();
    }

    fn tell_gateway(&mut self, now: Instant, gateway: &Arc<Gateway>, input: Input) {
        gateway.registration().handle(now, input);
        loop {
            let output = gateway.registration().poll();
            match output {
                Some(Output::Register { attempt, expires }) => {
                    self.look_for(now, gateway, What::Register { attempt, expires });
                }
                Some(Output::Ping) => self.look_for(now, gateway, What::Ping),
                Some(Output::Changed(change)) => {
                    tracing::info!(
                        state = change.state.as_str(),
                        code = change.code,
                        "gateway {}",
                        gateway.config.name
                    );
                    gateway::changed(&self.world, gateway, &change);
                }
                None => break,
            }
        }
        if gateway.is_deleted() && gateway.is_left() {
            self.profile.gateways.remove(gateway);
            gateway::removed(&self.world, gateway);
        }
        self.profile.gateways.tell();
    }

    /// DNS is asked where it holds up nobody.
    fn look_for(&mut self, now: Instant, gateway: &Arc<Gateway>, what: What) {
        let mut answer = self.world.resolver.resolve(gateway.config.registrar_hop());
        if let Ok(targets) = answer.try_recv() {
            return self.gateway_found(now, gateway.clone(), what, targets);
        }
        let Some(mailbox) = self.profile.mailbox(0).cloned() else { return };
        let gateway = gateway.clone();
        self.world.deps.runtime.spawn(async move {
            let targets = answer.await.unwrap_or_default();
            tell(&mailbox, gateway, News::Found { what, targets });
        });
    }

    fn gateway_found(&mut self, now: Instant, gateway: Arc<Gateway>, what: What, targets: Targets) {
        let targets = reachable(&self.profile, targets);
        let mut left = VecDeque::from(for_size(targets, SIZE, self.profile.settings().config.tcp));
        gateway.found_at(left.make_contiguous());
        let Some(peer) = left.pop_front() else {
            tracing::warn!("gateway {} is nowhere to be found", gateway.config.name);
            return self.gateway_unanswered(now, &gateway, what);
        };
        self.send_upkeep(now, Pending { gateway, what, peer, left, answers: Answers::default() });
    }

    fn send_upkeep(&mut self, now: Instant, pending: Pending) {
        let Pending { gateway, what, peer, .. } = &pending;
        let settings = self.profile.settings();
        let branch = self.transactions.new_branch();
        let listens = Peer { transport: gateway.transport(), ..*peer };
        let contact = gateway.contact_at(settings.sent_by_to(&self.world, listens));
        let mut head = gateway::Head {
            sent_by: settings.sent_by_to(&self.world, *peer),
            contact: &contact,
            transport: peer.transport,
            branch: branch.as_str(),
            call_id: &gateway.call_id,
            cseq: gateway.next_cseq(),
            user_agent: &settings.config.user_agent,
        };
        let bytes = match *what {
            What::Register { expires, .. } => {
                let uri = &gateway.words.registrar;
                let protected = Protected { method: "REGISTER", uri, body: b"" };
                let shown = gateway.shows(Purpose::Register, protected);
                gateway::register(gateway, &head, expires, shown.as_ref())
            }
            What::Ping => {
                self.random.uuid(&mut self.call_id);
                head.call_id = &self.call_id;
                gateway::options(gateway, &head)
            }
        };
        let client = self.transactions.request(now, branch, bytes.into(), *peer);
        self.upkeep.pending.insert(client, pending);
        self.tally.sent += 1;
    }

    /// `false`: the request was not for a gateway's upkeep.
    pub(super) fn upkeep_answered(
        &mut self,
        now: Instant,
        client: ClientId,
        message: &Message<'_>,
        from: Peer,
    ) -> bool {
        let Some(mut pending) = self.upkeep.pending.remove(&client) else { return false };
        let code = message.code().unwrap_or_default();
        if matches!(code, 401 | 407) && matches!(pending.what, What::Register { .. }) {
            let world = self.world.clone();
            let view = world.view();
            let gateway = pending.gateway.clone();
            match gateway.heeds(Purpose::Register, message, from.addr.ip(), &mut pending.answers, &view) {
                Heeded::Yes => {
                    self.send_upkeep(now, pending);
                    return true;
                }
                Heeded::NotTheirs { realm } => gateway::invalid_challenge(&self.world, &gateway, &realm),
                Heeded::No => {}
            }
        }
        // RFC 3263 §4.3.
        if code == 503
            && let Some(next) = pending.left.pop_front()
        {
            self.send_upkeep(now, Pending { peer: next, answers: Answers::default(), ..pending });
            return true;
        }
        let input = match pending.what {
            What::Register { attempt, .. } => {
                Input::Answered { attempt, answer: answer(message, &pending.gateway) }
            }
            What::Ping => Input::PingAnswered { code, phrase: phrase(message) },
        };
        self.tell_gateway(now, &pending.gateway, input);
        self.plan_upkeep();
        true
    }

    /// `false`: the request was not for a gateway's upkeep.
    pub(super) fn upkeep_ended(&mut self, now: Instant, client: ClientId, why: ClientEnd) -> bool {
        let Some(mut pending) = self.upkeep.pending.remove(&client) else { return false };
        match pending.left.pop_front().filter(|_| why != ClientEnd::TooMany) {
            Some(next) => self.send_upkeep(now, Pending { peer: next, ..pending }),
            None => self.gateway_unanswered(now, &pending.gateway, pending.what),
        }
        self.plan_upkeep();
        true
    }

    fn gateway_unanswered(&mut self, now: Instant, gateway: &Arc<Gateway>, what: What) {
        let input = match what {
            What::Register { attempt, .. } => Input::Unanswered { attempt },
            What::Ping => Input::PingUnanswered,
        };
        self.tell_gateway(now, gateway, input);
    }
}

/// For other threads.
pub fn tell(mailbox: &Mailbox, gateway: Arc<Gateway>, news: News) {
    if mailbox.post(Mail::Gateway(Box::new(GatewayMail { gateway, news }))).is_err() {
        tracing::warn!("a shard's mailbox is full, a gateway will find out by its timers");
    }
}

fn answer(message: &Message<'_>, gateway: &Gateway) -> Answer {
    let number = |name: &str| {
        let text = message.named(name).next()?;
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        std::str::from_utf8(&text[..digits]).ok()?.parse().ok()
    };
    Answer {
        code: message.code().unwrap_or_default(),
        phrase: phrase(message),
        expires: granted(message, gateway),
        min_expires: number("Min-Expires"),
        retry_after: number("Retry-After"),
    }
}

/// RFC 3261 §10.2.4: the expiry of our contact among all of the account's; else of the only one, else of all.
fn granted(message: &Message<'_>, gateway: &Gateway) -> Option<u32> {
    let contact = gateway.contact();
    let mine = contact.trim_matches(['<', '>']);
    let mine = chappe_sip_msg::Uri::parse(mine.as_bytes()).ok();
    let mut lone = None;
    for contact in message.contacts().flatten() {
        let uri = contact.address().map(|address| &address.uri);
        let expires = contact.address().and_then(|address| address.expires());
        let is_mine = mine.as_ref().zip(uri).is_some_and(|(mine, uri)| {
            mine.user == uri.user && mine.port == uri.port && mine.host.eq_ignore_ascii_case(uri.host)
        });
        if is_mine {
            return expires.or_else(|| message.expires().ok().flatten());
        }
        lone = lone.or(expires);
    }
    lone.or_else(|| message.expires().ok().flatten())
}

fn phrase(message: &Message<'_>) -> String {
    match message.start() {
        chappe_sip_msg::Start::Response { reason, .. } => String::from_utf8_lossy(reason).into_owned(),
        chappe_sip_msg::Start::Request { .. } => String::new(),
    }
}

/// How long a profile that stops waits for its gateways to let it go.
const FAREWELL: Duration = Duration::from_secs(1);

/// Asks the gateways to forget us, and waits a moment until they have.
pub fn leave(gateways: &gateway::Gateways, mailbox: &Mailbox, waits: bool) {
    for gateway in gateways.all().iter().filter(|gateway| !gateway.is_left()) {
        tell(mailbox, gateway.clone(), News::Happened(Input::Unregister));
    }
    if waits {
        gateways.wait_until_quiet(FAREWELL);
    }
}

/// Reports and looks after what a configuration brought.
pub fn configured(world: &World, mailbox: &Mailbox, configured: gateway::Configured) {
    for gateway in configured.added {
        gateway::added(world, &gateway);
        tell(mailbox, gateway, News::Happened(Input::Timeout));
    }
    for gateway in configured.deleted {
        tell(mailbox, gateway, News::Happened(Input::Unregister));
    }
}
