//! The chat interface `sip`: an event becomes one MESSAGE a binding.

mod request;
mod resolve;
mod target;

use std::sync::Arc;

use chappe_chat::{ChatInterface, Delivery, Sent};
use chappe_event::{Event, header};
use chappe_sip_proto::Peer;
use smallvec::{SmallVec, smallvec};
use std::time::Duration;
use tokio::sync::oneshot;

use crate::notices;
use crate::profile::Profile;
use crate::registrar::can_be_sent_to;
use crate::shard::{Leg, Outcome, SendJob};
use crate::world::World;
pub use request::{Head, write as write_request};
pub use resolve::Resolver;
pub use target::recipient;
use target::{Destination, Foreign};

/// The name of the chat interface.
pub const INTERFACE: &str = "sip";
/// How long a sender that asked to be blocked waits, as FreeSWITCH sofia_presence.c sofia_presence_chat_send.
const BLOCKING: Duration = Duration::from_secs(20);

/// Sends messages to the users of the profiles.
pub struct SipInterface {
    world: Arc<World>,
}

impl SipInterface {
    pub fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    /// The request without its copies' own parts.
    fn job(&self, profile: &Profile, message: &Event, legs: SmallVec<[Leg; 2]>) -> Box<SendJob> {
        let core_uuid = &self.world.deps.identity.core_uuid;
        let rest = request::rest(message, &profile.settings(), core_uuid);
        let accept_after = match message.is_true(header::BLOCKING) {
            true => BLOCKING,
            false => self.world.deps.router.settings().accept_after,
        };
        Box::new(SendJob { legs, rest, accept_after, done: None })
    }

    /// Whether the one who sends waits for the outcome.
    fn waits(&self, message: &Event) -> bool {
        !self.world.deps.router.quirks().accept_always || message.is_true(header::BLOCKING)
    }
}

impl ChatInterface for SipInterface {
    fn name(&self) -> &str {
        INTERFACE
    }

    fn module(&self) -> &str {
        "mod_sofia"
    }

    fn send<'a>(&'a self, message: &'a mut Event) -> Sent<'a> {
        let (profile, destination) = match target::find(&self.world, message) {
            Ok(found) => found,
            Err(delivery) => {
                if matches!(delivery, Delivery::NobodyRegistered) {
                    notices::no_recipient(&self.world, message);
                }
                return Sent::Now(delivery);
            }
        };
        let waits = self.waits(message);
        match destination {
            Destination::Legs(legs) => {
                let job = self.job(&profile, message, legs);
                submit(&profile, job, waits)
            }
            Destination::Foreign(foreign) => {
                let job = self.job(&profile, message, SmallVec::new());
                self.resolve_and_submit(profile, foreign, job, waits)
            }
        }
    }
}

impl SipInterface {
    /// DNS is awaited where it holds up nobody; without anybody waiting it goes on by itself.
    fn resolve_and_submit<'a>(
        &self,
        profile: Arc<Profile>,
        foreign: Foreign,
        mut job: Box<SendJob>,
        waits: bool,
    ) -> Sent<'a> {
        let answer = self.world.resolver.resolve(foreign.host, foreign.port, foreign.transport);
        let deliver = async move {
            let allowed = |peer: &Peer| can_be_sent_to(peer.addr.ip(), profile.addr.ip());
            let Some(peer) = answer.await.ok().flatten().filter(allowed) else {
                let reason = "the domain has no SIP server".to_owned();
                return Delivery::Refused { code: 404, reason, device: Some(foreign.uri) };
            };
            job.legs = smallvec![Leg { uri: foreign.uri, to: foreign.to, route: SmallVec::new(), peer }];
            match submit(&profile, job, waits) {
                Sent::Now(delivery) => delivery,
                Sent::Later(delivery) => delivery.await,
            }
        };
        if waits {
            return Sent::Later(Box::pin(deliver));
        }
        self.world.deps.runtime.spawn(deliver);
        Sent::Now(Delivery::Accepted)
    }
}

fn submit<'a>(profile: &Profile, mut job: Box<SendJob>, waits: bool) -> Sent<'a> {
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
        outcome.await.map_or_else(|_| Delivery::Failed("the profile was stopped".to_owned()), delivery)
    }))
}

fn delivery(outcome: Outcome) -> Delivery {
    match outcome {
        Outcome::Delivered { code, device } => Delivery::Delivered { code, device: Some(device) },
        Outcome::Refused { code, reason, device } => Delivery::Refused { code, reason, device: Some(device) },
        Outcome::NoAnswer => Delivery::NoAnswer,
        Outcome::Overloaded => Delivery::Overloaded { retry_after_secs: 1 },
    }
}
