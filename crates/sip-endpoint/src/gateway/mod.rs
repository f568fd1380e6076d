//! Gateways: other servers that messages leave through and come in from.
//!
//! A gateway belongs to a profile. The profile's first shard keeps it registered ([`registration`] decides, `crate::shard`
//! sends); messages go out by any shard ([`route`], [`dress`]) and come in by any ([`inbound`]).
//!
//! Invariant: a gateway's password answers challenges of the gateway's own addresses alone.

mod credentials;
mod dress;
mod inbound;
mod notices;
mod registration;
mod request;
mod route;
mod set;
mod words;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use chappe_sip_msg::{Message, Uri};
use chappe_sip_proto::digest::Protected;
use chappe_sip_proto::{Peer, Transport};
use parking_lot::{Mutex, MutexGuard};

use crate::config::GatewayConfig;
use crate::outbound::tag;
use crate::shard::Random;
use crate::world::View;
use credentials::Shown;
pub use credentials::{Answers, Purpose};
pub use dress::dressed;
pub use inbound::{mark, sender_of};
pub use notices::{EVENTS, added, changed, invalid_challenge, removed};
use registration::Schedule;
pub use registration::State;
pub use registration::{Answer, Input, Output, Registration};
pub use request::{Head, options, register};
pub use route::{Named, find, named, names_gateway};
pub use set::{Configured, Gateways};
use words::{Announced, Words};

/// Messages and requests of one gateway since it was added.
#[derive(Debug, Default)]
pub struct Counts {
    pub received: AtomicU32,
    pub refused: AtomicU32,
    pub sent: AtomicU32,
    pub failed: AtomicU32,
}

/// A gateway of a running profile.
#[derive(Debug)]
pub struct Gateway {
    pub config: GatewayConfig,
    pub words: Words,
    pub profile: Arc<str>,
    pub counts: Counts,
    /// From's tag and the Call-ID of all its REGISTERs, RFC 3261 §10.2.
    tag: String,
    pub call_id: String,
    cseq: AtomicU32,
    registration: Mutex<Registration>,
    credentials: Mutex<credentials::Credentials>,
    /// Where its hosts were found; the registrar's and the proxy's.
    addresses: ArcSwap<Vec<SocketAddr>>,
    deleted: AtomicBool,
    /// Where the profile listens.
    own: SocketAddr,
    /// Of its last request.
    contact: ArcSwap<String>,
}

impl Gateway {
    fn new(
        config: &GatewayConfig,
        profile: Arc<str>,
        own: SocketAddr,
        announced: Announced<'_>,
    ) -> Arc<Self> {
        let mut call_id = String::new();
        Random::new().uuid(&mut call_id);
        let words = Words::new(config, own, announced);
        Arc::new(Self {
            own,
            contact: ArcSwap::from_pointee(words.contact.clone()),
            words,
            registration: Mutex::new(Registration::new(Schedule::of(config), Instant::now())),
            config: config.clone(),
            profile,
            counts: Counts::default(),
            tag: tag(),
            call_id,
            cseq: AtomicU32::new(1),
            credentials: Mutex::default(),
            addresses: ArcSwap::default(),
            deleted: AtomicBool::new(false),
        })
    }

    /// Changed by the profile's first shard alone; others look.
    pub fn registration(&self) -> MutexGuard<'_, Registration> {
        self.registration.lock()
    }

    /// Route of a message to this URI. By TLS it names the proxy also where the URI names another host: the certificate has to
    /// be that of the first host in Route, RFC 5922 §4.
    pub fn route(&self, uri: &str) -> Option<String> {
        let hop = self.config.message_hop();
        let host = || Some(Uri::parse(uri.as_bytes()).ok()?.host.to_ascii_lowercase());
        let goes_elsewhere = || host() != Some(hop.host.to_ascii_lowercase().into_bytes());
        match &self.words.route {
            Some(route) => Some(route.clone()),
            None if hop.transport == Some(Transport::Tls) && goes_elsewhere() => {
                Some(words::route(&self.config.proxy))
            }
            None => None,
        }
    }

    /// By which its messages come to us.
    pub fn transport(&self) -> Transport {
        words::transport(&self.config)
    }

    /// The Contact that it was told.
    pub fn contact(&self) -> Arc<String> {
        self.contact.load_full()
    }

    /// The Contact for a gateway to which the profile is at `sent_by`: those on this side of a NAT are told another address than
    /// those beyond it.
    pub fn contact_at(&self, sent_by: &str) -> Arc<String> {
        let contact = words::contact(&self.config, &self.words.contact_user, self.own, sent_by);
        if **self.contact.load() != contact {
            self.contact.store(Arc::new(contact));
        }
        self.contact()
    }

    /// The next CSeq of its REGISTERs and pings.
    pub fn next_cseq(&self) -> u32 {
        self.cseq.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether it goes away as soon as it is unregistered.
    pub fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    /// Whether no registration of it stands, or is asked for or given up at the moment.
    pub fn is_left(&self) -> bool {
        let registration = self.registration();
        let asks = matches!(registration.state(), State::Trying | State::Unregister);
        !registration.is_bound() && !asks
    }

    fn delete(&self) {
        self.deleted.store(true, Ordering::Release);
    }

    /// Takes note of where the gateway was found.
    pub fn found_at(&self, peers: &[Peer]) {
        let known = self.addresses.load();
        if peers.iter().all(|peer| known.contains(&peer.addr)) {
            return;
        }
        let mut all = (**known).clone();
        all.extend(peers.iter().map(|peer| peer.addr).filter(|addr| !known.contains(addr)));
        // A gateway that moves about is not at all its old addresses.
        let many = all.len().saturating_sub(32);
        all.drain(..many);
        self.addresses.store(Arc::new(all));
    }

    pub fn is_at(&self, addr: SocketAddr) -> bool {
        let same = |known: &SocketAddr| (known.ip().to_canonical(), known.port());
        self.addresses.load().iter().any(|known| same(known) == same(&addr))
    }

    pub fn is_at_ip(&self, ip: IpAddr) -> bool {
        self.addresses.load().iter().any(|known| known.ip().to_canonical() == ip.to_canonical())
    }

    /// The credentials for a request, if the gateway has asked for some before.
    pub fn shows(&self, purpose: Purpose, protected: Protected<'_>) -> Option<Shown> {
        let who = (self.config.auth_username.as_str(), self.config.password.as_str());
        self.credentials.lock().show(purpose, who, protected, &tag())
    }

    /// Whether a challenge of `from` is to be answered by sending the request again.
    pub fn heeds(
        &self,
        purpose: Purpose,
        response: &Message<'_>,
        from: IpAddr,
        answers: &mut Answers,
        view: &View,
    ) -> Heeded {
        let Some((challenge, header)) = credentials::challenge(response) else { return Heeded::No };
        let legitimate = match &self.config.auth_acl {
            Some(list) => view.acl.allows(list, from.to_canonical()),
            None => self.is_at_ip(from),
        };
        if !legitimate || self.config.password.as_str().is_empty() {
            return Heeded::NotTheirs { realm: challenge.realm };
        }
        let mut credentials = self.credentials.lock();
        if !answers.may_answer(&challenge) {
            credentials.forget(purpose);
            return Heeded::No;
        }
        credentials.keep(purpose, challenge, header);
        Heeded::Yes
    }
}

/// What becomes of a challenge.
pub enum Heeded {
    Yes,
    No,
    /// It is not the gateway's, or there is no password for it.
    NotTheirs {
        realm: String,
    },
}
