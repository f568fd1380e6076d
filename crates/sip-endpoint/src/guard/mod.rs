//! What a profile takes from one address or one user, and whom it does not listen to.
//!
//! Where nothing is limited and nobody is banned, a request costs one look at two numbers. State is a table of fixed size for
//! each kind of limit, see [`Buckets`], and the bans of the whole endpoint, see [`Bans`].

mod bans;
mod buckets;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chappe_sip_msg::Method;
use chappe_sip_proto::digest::Credentials;
use chappe_sip_proto::{Peer, Transport};

use crate::access::{self, Access};
use crate::auth::Sender;
use crate::config::{GuardConfig, ProfileConfig};
use crate::inbound::{Refusal, Request, answer, overloaded, with};
use crate::notices;
use crate::profile::{Profile, Settings};
use crate::shard::Shard;
use crate::transport::{Complaints, source};
use crate::world::{View, World};

pub use bans::Bans;
pub use buckets::{Allowance, Buckets};

/// The state of one profile's limits.
pub struct Guard {
    requests: Buckets,
    registers: Buckets,
    messages: Buckets,
    messages_of_user: Buckets,
    failures: Buckets,
    limited: Complaints,
    denied: Complaints,
    /// Users who write somebody else into From.
    pub impostors: Complaints,
    /// Requests over a limit.
    pub over: AtomicU64,
    /// Requests and connections of addresses that are banned, or that a list denies.
    pub kept_out: AtomicU64,
}

impl Guard {
    pub fn new() -> Self {
        Self {
            requests: Buckets::default(),
            registers: Buckets::default(),
            messages: Buckets::default(),
            messages_of_user: Buckets::default(),
            failures: Buckets::default(),
            limited: Complaints::new(),
            denied: Complaints::new(),
            impostors: Complaints::new(),
            over: AtomicU64::new(0),
            kept_out: AtomicU64::new(0),
        }
    }

    /// Counts a request over a limit, and says so once a second.
    fn tell(&self, profile: &str, who: impl std::fmt::Display, param: &str, allowance: Allowance) {
        self.over.fetch_add(1, Ordering::Relaxed);
        self.limited.say(|others| {
            tracing::warn!(
                others,
                "{who} sends more to profile {profile} than {param} allows, which is {allowance}"
            );
        });
    }
}

/// What becomes of a datagram or frame before it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    Open,
    /// Its sender hears nothing; a connection of its ends.
    Closed,
    /// Its sender is told that it may not.
    Forbidden,
    /// Too many; seconds until the next.
    Later(u32),
}

/// Whether requests have to be looked at before they are read.
pub fn is_on_duty(world: &World, config: &GuardConfig) -> bool {
    world.bans.any() || config.requests.is_some() || !config.access_acl.is_empty()
}

/// What becomes of a request by its address alone. Answers are let in: they end what we began.
pub fn entry(world: &World, profile: &Profile, peer: Peer, octets: &[u8], now: Instant) -> Entry {
    if octets.starts_with(b"SIP/2.0 ") {
        return Entry::Open;
    }
    let (settings, view, ip) = (profile.settings(), world.view(), access::ip(peer));
    let (config, guard) = (&settings.config, &profile.guard);
    if world.bans.holds(ip, now) {
        guard.kept_out.fetch_add(1, Ordering::Relaxed);
        return Entry::Closed;
    }
    if let Some(list) = denied(&view, &config.guard, ip) {
        guard.kept_out.fetch_add(1, Ordering::Relaxed);
        guard.denied.say(|others| tracing::warn!(others, "IP {ip} Rejected by access acl \"{list}\""));
        return if config.guard.answers_denied { Entry::Forbidden } else { Entry::Closed };
    }
    match config.guard.requests.filter(|_| !is_for_many(&view, profile, config, peer)) {
        Some(allowance) => match guard.requests.take(source(ip), allowance, now) {
            Ok(()) => Entry::Open,
            Err(wait) => {
                guard.tell(&profile.name, format_args!("IP {ip}"), "max-requests-per-ip", allowance);
                Entry::Later(seconds(wait))
            }
        },
        None => Entry::Open,
    }
}

/// Whether an address may connect to a profile.
pub fn admits(world: &World, profile: &str, ip: IpAddr) -> bool {
    let view = world.view();
    let Some(profile) = view.profile(profile) else { return true };
    let is_out =
        world.bans.holds(ip, Instant::now()) || denied(&view, &profile.settings().config.guard, ip).is_some();
    if is_out {
        profile.guard.kept_out.fetch_add(1, Ordering::Relaxed);
    }
    !is_out
}

/// Whether a MESSAGE is within its sender's limits.
pub fn message(
    shard: &Shard,
    settings: &Settings,
    request: &Request<'_, '_>,
    sender: &Sender<'_>,
) -> Result<(), Refusal> {
    let (limits, profile) = (&settings.config.guard, &shard.profile);
    let guard = &profile.guard;
    if let Some(allowance) = limits.messages.filter(|_| !sender.trusted && sender.gateway.is_none()) {
        let ip = access::origin(&shard.world.view(), &settings.config, request);
        if let Err(wait) = guard.messages.take(source(ip), allowance, request.now) {
            guard.tell(&profile.name, format_args!("IP {ip}"), "max-messages-per-ip", allowance);
            return Err(overloaded(seconds(wait)).into());
        }
    }
    if let Some((allowance, user)) = limits.messages_of_user.zip(sender.user) {
        let name = (user.id.to_ascii_lowercase(), user.domain.to_ascii_lowercase());
        if let Err(wait) = guard.messages_of_user.take(name, allowance, request.now) {
            let who = format_args!("{}@{}", user.id, user.domain);
            guard.tell(&profile.name, who, "max-messages-per-user", allowance);
            // A 503 would have a proxy in front send nothing of anybody for that long (RFC 3261 §21.5.4); Retry-After may
            // stand in a 480 (§20.33).
            return Err(with(answer(480), "Retry-After", seconds(wait).to_string()).into());
        }
    }
    Ok(())
}

/// Whether a REGISTER is within its address's limit.
pub fn register(shard: &Shard, settings: &Settings, request: &Request<'_, '_>) -> Result<(), Refusal> {
    let (config, profile) = (&settings.config, &shard.profile);
    let Some(allowance) = config.guard.registers else { return Ok(()) };
    let view = shard.world.view();
    if request.message.method() != Method::Register || is_trusted(&view, profile, config, request.peer) {
        return Ok(());
    }
    let ip = access::origin(&view, config, request);
    profile.guard.registers.take(source(ip), allowance, request.now).map_err(|wait| {
        profile.guard.tell(&profile.name, format_args!("IP {ip}"), "max-registers-per-ip", allowance);
        overloaded(seconds(wait)).into()
    })
}

/// Somebody showed wrong credentials. An address that does so too often is banned: one that is the sender's, since it made a
/// connection or got our challenge there. Otherwise anybody could have anybody banned by datagrams with a forged address.
pub fn failed(
    shard: &Shard,
    settings: &Settings,
    view: &View,
    request: &Request<'_, '_>,
    credentials: &Credentials<'_>,
) {
    let (config, profile) = (&settings.config, &shard.profile);
    let Some(allowance) = config.guard.failures else { return };
    let (peer, ip) = (request.peer, access::ip(request.peer));
    let is_there = peer.transport != Transport::Udp || profile.auth.challenged(credentials, ip);
    let is_spared = config.guard.never_ban.iter().any(|list| view.acl.allows(list, ip));
    if !is_there || is_spared || is_for_many(view, profile, config, peer) {
        return;
    }
    if profile.guard.failures.take(source(ip), allowance, request.now).is_err() {
        let time = config.guard.ban;
        tracing::warn!(
            "IP {ip} is banned for {} s: more than {} failed authentications in {} s on sofia profile '{}'",
            time.as_secs(),
            allowance.count,
            allowance.seconds,
            profile.name
        );
        ban(&shard.world, ip, time);
        notices::banned(&shard.world, &profile.name, ip, time);
    }
}

/// From here on nothing of this address is read.
pub fn ban(world: &World, ip: IpAddr, time: Duration) {
    world.bans.add(ip, Instant::now(), time);
    for profile in &world.view().profiles {
        profile.connections().end(|peer| source(peer.addr.ip()) == source(ip));
    }
}

fn denied<'c>(view: &View, config: &'c GuardConfig, ip: IpAddr) -> Option<&'c str> {
    config.access_acl.iter().find(|list| !view.acl.allows(list, ip)).map(String::as_str)
}

/// The same, or a proxy that others come through.
fn is_for_many(view: &View, profile: &Profile, config: &ProfileConfig, peer: Peer) -> bool {
    is_trusted(view, profile, config, peer) || access::is_proxy(view, config, peer.addr)
}

/// An address that a list of the profile vouches for, or a gateway's.
fn is_trusted(view: &View, profile: &Profile, config: &ProfileConfig, peer: Peer) -> bool {
    matches!(access::inbound(view, config, peer.addr), Access::Allowed)
        || profile.gateways.all().iter().any(|gateway| gateway.is_at_ip(peer.addr.ip()))
}

/// Whole seconds, at least one.
fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}
