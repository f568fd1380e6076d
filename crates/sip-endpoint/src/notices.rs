//! mod_sofia's events about registrations, made only when somebody listens.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_event::{Event, EventName, EventRow, header};
use chappe_sip_msg::HeaderName;
use chappe_sip_proto::Peer;
use chappe_sip_proto::registrar::{Aor, Binding};

use crate::inbound::Request;
use crate::nat;
use crate::profile::Profile;
use crate::shard::Shard;
use crate::world::World;

pub const REGISTER: &str = "sofia::register";
pub const UNREGISTER: &str = "sofia::unregister";
pub const EXPIRE: &str = "sofia::expire";
const USER_STATE: &str = "sofia::sip_user_state";
const REGISTER_FAILURE: &str = "sofia::register_failure";
const BAN: &str = "sofia::ban";
const ERROR: &str = "sofia::error";

/// The events of mod_sofia.
pub const EVENTS: &[EventRow] = &[
    NO_RECIPIENT,
    EventRow::fired(
        EventName::RecvMessage,
        "A MESSAGE came in, before the chatplan; where the profile's `fire-message-events` asks for it.",
        &[
            "login",
            "proto",
            "from",
            "from_user",
            "from_host",
            "to_user",
            "to_host",
            "from_sip_ip",
            "from_sip_port",
            "to",
            "subject",
            "context",
            "type",
            "from_full",
            "sip_profile",
        ],
    ),
    EventRow::custom(REGISTER, "A device registered, or did so again.", CHANGED),
    EventRow::custom(UNREGISTER, "A device took its registration back.", CHANGED),
    EventRow::custom(
        EXPIRE,
        "Nobody refreshed a registration in time.",
        &[
            "profile-name",
            "call-id",
            "user",
            "username",
            "host",
            "contact",
            "expires",
            "user-agent",
            "realm",
            "network-ip",
            "network-port",
        ],
    ),
    EventRow::custom(
        USER_STATE,
        "A device that is asked by OPTIONS answers no longer, or again.",
        &[
            "sip_contact",
            "profile-name",
            "sip_user",
            "from-user",
            "from-host",
            "call-id",
            "Ping-Status",
            "Status",
            "Phrase",
        ],
    ),
    EventRow::custom(
        REGISTER_FAILURE,
        "A REGISTER had wrong credentials, or those of a user that there is not.",
        &[
            "profile-name",
            "to-user",
            "to-host",
            "network-ip",
            "network-port",
            "user-agent",
            "registration-type",
        ],
    ),
    EventRow::custom(
        BAN,
        "An address failed to authenticate too often; nothing of it is read for so many seconds.",
        &["profile-name", "network-ip", "seconds"],
    ),
];

const NO_RECIPIENT: EventRow = EventRow::custom(
    ERROR,
    "A message is for a user of ours who is not registered; its body is the message's.",
    &["Error-Type", "Error-Reason", "Chat-Send-To", "Chat-Send-From", "Chat-Send-Profile"],
);

const CHANGED: &[&str] = &[
    "profile-name",
    "from-user",
    "from-host",
    "contact",
    "call-id",
    "rpid",
    "status",
    "expires",
    "to-user",
    "to-host",
    "network-ip",
    "network-port",
    "username",
    "realm",
    "user-agent",
];

fn wanted(world: &World, subclass: &str) -> bool {
    world.deps.bus.wanted(EventName::Custom, Some(subclass))
}

/// A binding that a REGISTER made, refreshed or removed.
/// FreeSWITCH sofia_reg.c sofia_reg_handle_register.
pub fn changed(world: &World, profile: &Profile, subclass: &'static str, aor: &Aor, binding: &Binding) {
    if !wanted(world, subclass) {
        return;
    }
    let mut event = Event::custom(subclass);
    event.add(header::PROFILE_NAME, &*profile.name);
    event.add("from-user", aor.user());
    event.add("from-host", aor.domain());
    event.add("contact", contact(profile, binding));
    event.add("call-id", binding.call_id());
    event.add("rpid", "unknown");
    event.add("status", status_of(binding.received().transport.as_str(), binding.is_nat()));
    event.add_display("expires", binding.remaining(Instant::now()).as_secs());
    event.add("to-user", aor.user());
    event.add("to-host", aor.domain());
    network(&mut event, binding.received());
    event.add("username", aor.user());
    event.add("realm", aor.domain());
    event.add("user-agent", &**binding.user_agent());
    world.deps.bus.fire(event);
}

/// A binding that nobody refreshed in time. FreeSWITCH sofia_reg.c sofia_reg_del_callback.
pub fn expired(world: &World, profile: &Profile, (aor, binding): &(Aor, Arc<Binding>)) {
    if !wanted(world, EXPIRE) {
        return;
    }
    let mut event = Event::custom(EXPIRE);
    event.add(header::PROFILE_NAME, &*profile.name);
    event.add("call-id", binding.call_id());
    event.add("user", aor.user());
    event.add("username", aor.user());
    event.add("host", aor.domain());
    event.add("contact", contact(profile, binding));
    event.add_display("expires", world.unix_seconds());
    event.add("user-agent", &**binding.user_agent());
    event.add("realm", aor.domain());
    network(&mut event, binding.received());
    world.deps.bus.fire(event);
}

/// What the last OPTIONS to a device came to.
pub struct Ping<'p> {
    pub is_reachable: bool,
    /// 0: no answer.
    pub code: u16,
    pub phrase: &'p str,
}

/// A device answers no longer, or again. FreeSWITCH sofia_reg.c sofia_reg_fire_custom_sip_user_state_event.
/// Deviation: FreeSWITCH says REACHABLE of one that is not, and the other way round.
pub fn pinged(world: &World, profile: &Profile, aor: &Aor, binding: &Binding, ping: &Ping<'_>) {
    if !wanted(world, USER_STATE) {
        return;
    }
    let mut event = Event::custom(USER_STATE);
    event.add("sip_contact", &*nat::shown(binding, &profile.settings().config.nat));
    event.add(header::PROFILE_NAME, &*profile.name);
    event.add("sip_user", aor.as_str());
    event.add("from-user", aor.user());
    event.add("from-host", aor.domain());
    event.add("call-id", binding.call_id());
    event.add("Ping-Status", if ping.is_reachable { "REACHABLE" } else { "UNREACHABLE" });
    event.add_display("Status", ping.code);
    if !ping.phrase.is_empty() {
        event.add("Phrase", ping.phrase);
    }
    world.deps.bus.fire(event);
}

/// Wrong credentials.
pub fn register_failure(shard: &Shard, request: &Request<'_, '_>, user: &str, host: &str) {
    if !wanted(&shard.world, REGISTER_FAILURE) {
        return;
    }
    let agent = request.message.header(HeaderName::UserAgent).map(|line| line.text().into_owned());
    let mut event = Event::custom(REGISTER_FAILURE);
    event.add(header::PROFILE_NAME, &*shard.profile.name);
    event.add("to-user", user);
    event.add("to-host", host);
    network(&mut event, request.peer);
    event.add("user-agent", agent.unwrap_or_default());
    event.add("registration-type", "REGISTER");
    shard.world.deps.bus.fire(event);
}

/// An address is banned.
pub fn banned(world: &World, profile: &str, ip: IpAddr, time: Duration) {
    if !wanted(world, BAN) {
        return;
    }
    let mut event = Event::custom(BAN);
    event.add(header::PROFILE_NAME, profile);
    event.add_display("network-ip", ip);
    event.add_display("seconds", time.as_secs());
    world.deps.bus.fire(event);
}

/// Nobody is there to take the message. FreeSWITCH sofia_presence.c sofia_presence_chat_send.
pub fn no_recipient(world: &World, message: &Event) {
    if !wanted(world, ERROR) {
        return;
    }
    let value = |name| message.get(name).unwrap_or_default();
    let to = value(header::TO);
    let profile = message.get(header::SIP_PROFILE).or_else(|| to.split_once('@').map(|(_, host)| host));
    let mut event = Event::custom(ERROR);
    event.add("Error-Type", "chat");
    event.add("Error-Reason", "no recipient");
    event.add("Chat-Send-To", to);
    event.add("Chat-Send-From", value(header::FROM));
    event.add("Chat-Send-Profile", profile.unwrap_or_default());
    event.set_body(message.body().cloned());
    world.deps.bus.fire(event);
}

/// In angle brackets.
fn contact(profile: &Profile, binding: &Binding) -> String {
    format!("<{}>", nat::shown(binding, &profile.settings().config.nat))
}

fn network(event: &mut Event, peer: Peer) {
    event.add_display("network-ip", peer.addr.ip().to_canonical());
    event.add_display("network-port", peer.addr.port());
}

/// `Registered(UDP)`, `Registered(UDP-NAT)`.
pub fn status_of(transport: &str, is_nat: bool) -> String {
    format!("Registered({}{})", transport.to_ascii_uppercase(), if is_nat { "-NAT" } else { "" })
}
