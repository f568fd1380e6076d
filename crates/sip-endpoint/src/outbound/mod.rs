//! The chat interface `sip`: an event becomes one MESSAGE a binding.

mod request;
mod resolve;
mod tag;
mod target;
mod typing;

use std::sync::Arc;

use chappe_chat::{Again, ChatInterface, Delivery, Rest, Sent, Tried};
use chappe_event::{Event, header};
use chappe_sip_proto::Transport;
use smallvec::{SmallVec, smallvec};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

use crate::config::CallerId;
use crate::gateway;
use crate::notices;
use crate::profile::{Profile, Settings};
use crate::push::Why;
use crate::shard::{Leg, Outcome, Pending, SendJob, Told, Ways};
use crate::way::can_be_sent_to;
use crate::world::World;
pub use request::{Head, write as write_request};
pub use request::{push_host, uri_user};
pub use resolve::{Resolver, Target, Targets, for_size};
pub use tag::tag;
pub use target::recipient;
use target::{Destination, Foreign, Sleepers};
pub use typing::Unwilling;

/// The name of the chat interface.
pub const INTERFACE: &str = "sip";
/// How long a sender that asked to be blocked waits, as FreeSWITCH sofia_presence.c sofia_presence_chat_send.
const BLOCKING: Duration = Duration::from_secs(20);

/// Longer than any transaction: Timer F of RFC 3261 §17.1.2.2, also where `timer-t1x64` makes it long.
const UNTIL_ALL_HAVE_ENDED: Duration = Duration::from_secs(3600);

/// Sends messages to the users of the profiles.
pub struct SipInterface {
    world: Arc<World>,
}

impl SipInterface {
    pub fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    /// The request without its copies' own parts; devices and other domains are not in the trust domain.
    fn job(&self, settings: &Settings, message: &Event, legs: SmallVec<[Leg; 2]>) -> Box<SendJob> {
        self.job_to(settings, message, legs, false)
    }

    fn job_to(
        &self,
        settings: &Settings,
        message: &Event,
        legs: SmallVec<[Leg; 2]>,
        trusted: bool,
    ) -> Box<SendJob> {
        let core_uuid = &self.world.deps.identity.core_uuid;
        let rest = request::rest(message, settings, core_uuid, trusted);
        let accept_after = match message.is_true(header::BLOCKING) {
            true => BLOCKING,
            false => self.world.deps.router.settings().accept_after,
        };
        let call_id = message.get(header::MESSAGE_ID).filter(|id| is_call_id(id)).map(Box::from);
        Box::new(SendJob { legs, rest, accept_after, call_id, ways: None, done: None })
    }

    /// The same through a gateway, if there is one: From is the gateway's then.
    fn job_for(&self, settings: &Settings, message: &Event, foreign: &Foreign) -> Box<SendJob> {
        match &foreign.gateway {
            Some(gateway) => {
                let dressed = gateway::dressed(gateway, message, settings);
                // Who is told identities is trusted with them.
                let trusted = gateway.config.caller_id != CallerId::None;
                self.job_to(settings, &dressed, SmallVec::new(), trusted)
            }
            None => self.job(settings, message, SmallVec::new()),
        }
    }

    /// A message that was kept, to the devices that don't have it.
    fn again(&self, message: &Event, without: &[Box<str>]) -> Again {
        let ended = |delivery: Delivery| Again {
            devices: Vec::new(),
            end: Box::pin(std::future::ready(Tried::from(delivery))),
        };
        let view = self.world.view();
        let as_freeswitch = self.world.deps.router.quirks().accept_always;
        let way = match target::find(&self.world, &view, message, as_freeswitch) {
            Ok(way) => way,
            Err(delivery) => return ended(delivery),
        };
        match way.destination {
            Destination::Legs(mut legs, _) => {
                let mut job = self.job(&way.settings, message, SmallVec::new());
                job.accept_after = UNTIL_ALL_HAVE_ENDED;
                let has_it = |leg: &Leg| without.iter().any(|device| **device == *leg.device());
                // A device has it that got it by any of its flows.
                legs.retain(|leg| !has_it(leg) && !leg.flows.iter().any(has_it));
                if legs.is_empty() {
                    return ended(Delivery::NobodyRegistered);
                }
                let devices = legs.iter().map(|leg| leg.device().into()).collect();
                job.legs = legs;
                match submit(way.profile, job, true) {
                    Sent::Now(delivery) => ended(delivery),
                    Sent::Later(end) => Again { devices, end },
                }
            }
            Destination::Foreign(foreign) if without.iter().any(|device| **device == *foreign.uri) => {
                ended(Delivery::NobodyRegistered)
            }
            Destination::Foreign(foreign) => {
                let mut job = self.job_for(&way.settings, message, &foreign);
                job.accept_after = UNTIL_ALL_HAVE_ENDED;
                let devices = vec![foreign.uri.as_str().into()];
                match self.resolve_and_submit(way.profile.clone(), foreign, job, true) {
                    Sent::Now(delivery) => ended(delivery),
                    Sent::Later(end) => Again { devices, end },
                }
            }
        }
    }
}

impl ChatInterface for SipInterface {
    fn name(&self) -> &str {
        INTERFACE
    }

    fn module(&self) -> &str {
        "mod_sofia"
    }

    fn send_again(self: Arc<Self>, message: Event, without: Vec<Box<str>>) -> Again {
        self.again(&message, &without)
    }

    fn recipient(&self, message: &Event) -> Option<String> {
        target::recipient(&self.world, message)
    }

    fn may_reach(&self, recipient: &str) -> bool {
        let Some((user, domain)) = recipient.split_once('@') else { return true };
        let view = self.world.view();
        // Whether somebody listens at a foreign address only an attempt tells.
        !view.is_ours(domain)
            || view
                .profiles
                .iter()
                .any(|profile| !profile.registrar.lookup(Instant::now(), user, domain).is_empty())
    }

    fn send<'a>(&'a self, message: &'a mut Event) -> Sent<'a> {
        let view = self.world.view();
        let as_freeswitch = self.world.deps.router.quirks().accept_always;
        let way = match target::find(&self.world, &view, message, as_freeswitch) {
            Ok(way) => way,
            Err(delivery) => {
                if matches!(delivery, Delivery::NobodyRegistered) {
                    notices::no_recipient(&self.world, message);
                }
                return Sent::Now(delivery);
            }
        };
        // Whether the one who sends waits for the outcome.
        let waits = !as_freeswitch || message.is_true(header::BLOCKING);
        match way.destination {
            Destination::Legs(legs, _) if waits && typing::is_notice(message) => {
                self.notice(way.profile, &way.settings, message, legs)
            }
            Destination::Legs(legs, sleepers) => {
                let job = self.job(&way.settings, message, legs);
                let sent = submit(way.profile, job, waits);
                if sleepers.is_empty() { sent } else { self.or_wake(sent, way.profile, sleepers) }
            }
            Destination::Foreign(foreign) => {
                let job = self.job_for(&way.settings, message, &foreign);
                self.resolve_and_submit(way.profile.clone(), foreign, job, waits)
            }
        }
    }
}

/// Whether it can stand in a Call-ID as it is.
fn is_call_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl SipInterface {
    /// Wakes the devices where nobody answers.
    fn or_wake(&self, sent: Sent<'static>, profile: &Arc<Profile>, sleepers: Sleepers) -> Sent<'static> {
        let Sent::Later(tried) = sent else { return sent };
        let (world, profile) = (self.world.clone(), profile.clone());
        Sent::Later(Box::pin(async move {
            let tried = tried.await;
            if matches!(tried.delivery, Delivery::NoAnswer) {
                for (aor, binding) in &sleepers {
                    profile.wake(&world, Why::Message, aor, binding);
                }
            }
            tried
        }))
    }

    /// That somebody is typing, to those devices that want to hear it.
    fn notice(
        &self,
        profile: &Profile,
        settings: &Settings,
        message: &Event,
        mut legs: SmallVec<[Leg; 2]>,
    ) -> Sent<'static> {
        if let Err(delivery) = self.world.unwilling.spare(&mut legs, Instant::now()) {
            return Sent::Now(delivery);
        }
        let job = self.job(settings, message, legs);
        match submit(profile, job, true) {
            Sent::Later(tried) => {
                let world = self.world.clone();
                Sent::Later(Box::pin(async move {
                    let tried = tried.await;
                    world.unwilling.learn(&tried, Instant::now());
                    tried
                }))
            }
            now => now,
        }
    }

    /// DNS is awaited where it holds up nobody; without anybody waiting it goes on by itself.
    fn resolve_and_submit(
        &self,
        profile: Arc<Profile>,
        foreign: Foreign,
        mut job: Box<SendJob>,
        waits: bool,
    ) -> Sent<'static> {
        let Foreign { uri, to, route, hop, gateway } = foreign;
        let answer = self.world.resolver.resolve(hop);
        let deliver = async move {
            let mut targets = reachable(&profile, answer.await.unwrap_or_default());
            match &gateway {
                // Whoever configured a gateway may well mean this machine.
                Some(gateway) => {
                    let peers: Vec<_> = targets.iter().map(|target| target.peer).collect();
                    gateway.found_at(&peers);
                }
                None => targets.retain(|target| can_be_sent_to(target.peer.addr.ip(), profile.addr.ip())),
            }
            let Some(peer) = targets.first().map(|target| target.peer) else {
                return nowhere(uri, gateway.is_some()).into();
            };
            job.legs = smallvec![Leg { uri, to, route, peer, flows: Vec::new() }];
            job.ways = Some(Box::new(Ways { targets, gateway }));
            match submit(&profile, job, waits) {
                Sent::Now(delivery) => delivery.into(),
                Sent::Later(tried) => tried.await,
            }
        };
        if waits {
            return Sent::Later(Box::pin(deliver));
        }
        self.world.deps.runtime.spawn(async move { drop(deliver.await) });
        Sent::Now(Delivery::Accepted)
    }
}

/// What has no address: a domain is not there for good, a gateway for the moment.
fn nowhere(uri: String, is_gateway: bool) -> Delivery {
    if is_gateway {
        return Delivery::NoAnswer;
    }
    let reason = "the domain has no SIP server".to_owned();
    Delivery::Refused { code: 404, reason, device: Some(uri) }
}

/// Those that the profile can reach: datagrams leave by its own sockets, connections by new ones.
pub fn reachable(profile: &Profile, mut targets: Targets) -> Targets {
    let (v6, tcp) = (profile.addr.is_ipv6(), profile.settings().config.tcp);
    targets.retain(|Target { peer, .. }| match peer.transport {
        Transport::Udp => peer.addr.is_ipv6() == v6,
        Transport::Tcp => tcp,
        _ => true,
    });
    targets
}

fn submit(profile: &Profile, mut job: Box<SendJob>, waits: bool) -> Sent<'static> {
    if !waits {
        return Sent::Now(match profile.submit(job) {
            Ok(()) => Delivery::Accepted,
            Err(_) => Delivery::Overloaded { retry_after_secs: 1 },
        });
    }
    let (done, outcome) = oneshot::channel();
    job.done = Some(done);
    if profile.submit(job).is_err() {
        return Sent::Now(Delivery::Overloaded { retry_after_secs: 1 });
    }
    Sent::Later(Box::pin(async move {
        // The shard is gone only when its profile was stopped.
        let stopped = || Delivery::Failed("the profile was stopped".to_owned()).into();
        outcome.await.map_or_else(|_| stopped(), tried)
    }))
}

fn tried(told: Told) -> Tried {
    let rest = told.rest.map(|Pending { devices, ended }| Rest {
        devices,
        // A profile that was stopped takes its requests with it.
        end: Box::pin(async move { ended.await.unwrap_or_default() }),
    });
    Tried { delivery: delivery(told.outcome), copies: told.ended, rest }
}

fn delivery(outcome: Outcome) -> Delivery {
    match outcome {
        Outcome::Delivered { code, device } => Delivery::Delivered { code, device: Some(device) },
        Outcome::Refused { code, reason, device } => Delivery::Refused { code, reason, device: Some(device) },
        Outcome::NoAnswer => Delivery::NoAnswer,
        Outcome::Overloaded => Delivery::Overloaded { retry_after_secs: 1 },
    }
}
