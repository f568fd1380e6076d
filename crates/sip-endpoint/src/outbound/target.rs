//! Where a message goes: the profile, and the user's bindings or an address.
//! FreeSWITCH sofia_presence.c sofia_presence_chat_send.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use chappe_chat::Delivery;
use chappe_current::Loaded;
use chappe_event::{Event, header};
use chappe_sip_msg::{Scheme, Uri};
use chappe_sip_proto::registrar::{Aor, Binding, Found};
use chappe_sip_proto::{Peer, Transport};
use smallvec::{SmallVec, smallvec};

use super::request::{push_host, uri_user};
use crate::config::{Hop, ProfileConfig};
use crate::gateway::{self, Gateway, Named};
use crate::inbound::{onward, registered_as};
use crate::nat;
use crate::profile::{Profile, Settings};
use crate::push::{Asked, Why};
use crate::shard::Leg;
use crate::way::{can_be_sent_to, way_to};
use crate::world::{View, World};

/// Nobody is woken to see somebody type: it is never kept.
const COMPOSING: &str = "application/im-iscomposing+xml";

/// Registrations whose devices can be woken.
pub type Sleepers = Vec<(Aor, Arc<Binding>)>;

/// Where the copies of a message go.
#[expect(clippy::large_enum_variant, reason = "nearly always it is the large one, which is moved on at once")]
pub enum Destination {
    /// And the devices that can be woken if none of the copies reaches anybody.
    Legs(SmallVec<[Leg; 2]>, Sleepers),
    /// The host has to be looked up first.
    Foreign(Foreign),
}

/// A user of another domain.
pub struct Foreign {
    pub uri: String,
    pub to: String,
    pub route: SmallVec<[String; 1]>,
    pub hop: Hop,
    /// Through which it leaves.
    pub gateway: Option<Arc<Gateway>>,
}

/// The parts of `to`: `[profile/]user[@host]`, or `[profile/]sip:user@host`.
struct Address<'t> {
    profile: Option<&'t str>,
    user: &'t str,
    host: Option<&'t str>,
    is_uri: bool,
}

/// The profile to send from and where to.
pub struct Way<'v> {
    pub profile: &'v Arc<Profile>,
    pub settings: Loaded<Settings>,
    pub destination: Destination,
}

/// Where the message goes; otherwise what became of it. `as_freeswitch`: the way is FreeSWITCH's.
pub fn find<'v>(
    world: &'v World,
    view: &'v View,
    message: &Event,
    as_freeswitch: bool,
) -> Result<Way<'v>, Delivery> {
    let missing = |what: &str| Delivery::Failed(format!("the message has no {what}"));
    let to = message.get(header::TO).filter(|to| !to.is_empty()).ok_or_else(|| missing("to"))?;
    message.get(header::FROM).filter(|from| !from.is_empty()).ok_or_else(|| missing("from"))?;
    if let Some(named) = gateway::named(view, message) {
        return through(view, named);
    }
    let address = Address::parse(to);
    let profile = profile(view, message, &address).ok_or_else(|| no_profile(message, &address))?;
    let settings = profile.settings();
    let from = From { world, view, profile, settings: &settings, as_freeswitch };
    let destination = destination(&from, message, &address)?;
    // A gateway may be another profile's.
    let owner = match &destination {
        Destination::Foreign(Foreign { gateway: Some(gateway), .. }) => owner(view, gateway),
        _ => None,
    };
    match owner {
        Some(profile) => Ok(Way { profile, settings: profile.settings(), destination }),
        None => Ok(Way { profile, settings, destination }),
    }
}

fn owner<'v>(view: &'v View, gateway: &Gateway) -> Option<&'v Arc<Profile>> {
    view.profiles.iter().find(|profile| profile.name == gateway.profile)
}

/// A message that names its gateway.
fn through(view: &View, named: Named) -> Result<Way<'_>, Delivery> {
    let (gateway, uri) = match named {
        Named::To { gateway, uri } => (gateway, uri),
        Named::Unknown(name) => {
            tracing::error!("Invalid Gateway '{name}'");
            return Err(Delivery::Failed(format!("no gateway {name}")));
        }
    };
    let is_address =
        Uri::parse(uri.as_bytes()).is_ok_and(|uri| uri.user.is_some_and(|user| !user.is_empty()));
    if !is_address {
        return Err(Delivery::Failed(format!("{uri} is no SIP address")));
    }
    by_gateway(view, gateway, uri)
}

fn by_gateway(view: &View, gateway: Arc<Gateway>, uri: String) -> Result<Way<'_>, Delivery> {
    let Some(profile) = owner(view, &gateway) else {
        return Err(Delivery::Failed("the profile was stopped".to_owned()));
    };
    if !gateway.registration().is_up() {
        // FreeSWITCH mod_sofia.c sofia_outgoing_channel. It may be up again in a moment.
        tracing::warn!("Gateway '{}' is down!", gateway.config.name);
        return Err(Delivery::NoAnswer);
    }
    let to = format!("<{uri}>");
    let (route, hop) = (gateway.route(&uri).into_iter().collect(), gateway.config.message_hop());
    let destination = Destination::Foreign(Foreign { uri, to, route, hop, gateway: Some(gateway) });
    Ok(Way { profile, settings: profile.settings(), destination })
}

/// The address-of-record that a device of the message's recipient registers, also while there is none; for a user who is not
/// ours the address, for a URI its user and host.
pub fn recipient(world: &World, message: &Event) -> Option<String> {
    let to = message.get(header::TO).filter(|to| !to.is_empty())?;
    if let Some(named) = gateway::named(&world.view(), message) {
        // Each recipient behind a gateway has a line of its own.
        return match named {
            Named::To { uri, .. } => Uri::parse(uri.as_bytes()).ok().map(|uri| uri.aor()),
            Named::Unknown(_) => None,
        };
    }
    let address = Address::parse(to);
    if address.is_uri {
        return Uri::parse(address.user.trim().as_bytes()).ok().map(|uri| uri.aor());
    }
    let view = world.view();
    let settings = profile(&view, message, &address)?.settings();
    let host = address.host.filter(|host| !host.is_empty()).unwrap_or(&settings.domain);
    let aor = registered(&view, &settings.config, address.user, host);
    Some(aor.as_str().to_owned()).filter(|_| !aor.user().is_empty())
}

impl<'t> Address<'t> {
    fn parse(to: &'t str) -> Self {
        let (profile, user) = match to.split_once('/') {
            Some((profile, user)) => (Some(profile), user),
            None => (None, to),
        };
        let has = |scheme: &str| user.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme));
        let is_uri = has("sip:") || has("sips:");
        match user.split_once('@') {
            Some((_, host)) if is_uri => Self { profile, user, host: Some(host), is_uri },
            Some((name, host)) => Self { profile, user: name, host: Some(host), is_uri },
            None => Self { profile, user, host: None, is_uri },
        }
    }
}

/// What a way is looked for with.
#[derive(Clone, Copy)]
struct From<'v> {
    world: &'v World,
    view: &'v View,
    profile: &'v Profile,
    settings: &'v Settings,
    as_freeswitch: bool,
}

/// Named in `to`, else in `sip_profile`, else the one that the host is an alias of.
fn profile<'v>(view: &'v View, message: &Event, address: &Address<'_>) -> Option<&'v Arc<Profile>> {
    let named = address.profile.or_else(|| message.get(header::SIP_PROFILE));
    let found = match named.or(address.host) {
        Some(name) => view.profile(name),
        None => None,
    };
    // Deviation: FreeSWITCH fails when only a host names the profile and no profile has that alias.
    found.or_else(|| if named.is_none() { view.profiles.first() } else { None })
}

fn no_profile(message: &Event, address: &Address<'_>) -> Delivery {
    let name =
        address.profile.or_else(|| message.get(header::SIP_PROFILE)).or(address.host).unwrap_or("NULL");
    tracing::error!("Invalid Profile {name}");
    Delivery::Failed(format!("no profile {name}"))
}

fn destination(from: &From<'_>, message: &Event, address: &Address<'_>) -> Result<Destination, Delivery> {
    let From { view, profile, settings, as_freeswitch, .. } = *from;
    let written_host = address.host.filter(|host| !host.is_empty());
    if as_freeswitch && written_host.is_none() && !address.is_uri {
        // FreeSWITCH looks for such a user at a host named like the profile, where nobody is.
        return Err(Delivery::NobodyRegistered);
    }
    let host = written_host.unwrap_or(&settings.domain);
    let source = source_of(message);
    if address.is_uri {
        // As `sofia_contact` and lists write a device behind a NAT.
        let (contact, seen) = nat::parted(address.user.trim());
        return uri(contact.to_owned(), source.or(seen));
    }
    let (aor, bindings) = lookup(from, address.user, host);
    if !bindings.is_empty() {
        let to = (!as_freeswitch).then(|| user_address(address.user, host));
        let mut sleepers = Sleepers::new();
        let awake = bindings.iter().filter(|binding| {
            settings.config.push.is_none() || is_awake(from, message, &aor, binding, &mut sleepers)
        });
        let legs = legs(profile, awake, to.as_deref());
        if legs.is_empty() {
            return Err(Delivery::NoAnswer);
        }
        let elsewhere = source.filter(|_| as_freeswitch || !message.is_true(header::REPLYING));
        return Ok(Destination::Legs(redirected(legs, elsewhere), sleepers));
    }
    if source.is_none() && view.is_ours(host) {
        return Err(Delivery::NobodyRegistered);
    }
    let target = user_uri(address.user, host);
    if let Some(name) = settings.config.foreign_gateway.as_deref().filter(|_| source.is_none()) {
        let gateway =
            gateway::find(view, name).ok_or_else(|| Delivery::Failed(format!("no gateway {name}")))?;
        return by_gateway(view, gateway, target).map(|way| way.destination);
    }
    if let Some((hop, route)) = onward(message, host).filter(|_| source.is_none()) {
        let to = format!("<{target}>");
        return Ok(Destination::Foreign(Foreign {
            uri: target,
            to,
            route: route.into(),
            hop,
            gateway: None,
        }));
    }
    let ip = Uri::parse(target.as_bytes()).ok().and_then(|uri| uri.ip());
    if source.is_none() && ip.is_some_and(|ip| !can_be_sent_to(ip, profile.addr.ip())) {
        return Err(Delivery::Failed(format!("{host} is not an address for messages")));
    }
    uri(target, source)
}

/// The user's bindings; any of the user's names will do.
fn lookup(from: &From<'_>, user: &str, host: &str) -> (Aor, Found) {
    let (From { view, profile, .. }, now) = (*from, Instant::now());
    let config = &from.settings.config;
    let aor = registered(view, config, user, host);
    let found = profile.registrar.find(now, aor.as_str());
    if !found.is_empty() || !view.is_ours(host) {
        return (aor, found);
    }
    // A reload may have changed under which of our names users are registered.
    let user = unescaped(user);
    let find = |domain: &str| {
        let id = view.directory.id(domain, &user).unwrap_or(&user);
        let aor = Aor::of(id, domain);
        let found = profile.registrar.find(now, aor.as_str());
        (aor, found)
    };
    let forced = [&config.force_register_db_domain, &config.force_register_domain];
    let domains = std::iter::once(host).chain(forced.into_iter().flatten().map(String::as_str));
    domains.map(find).find(|(_, found)| !found.is_empty()).unwrap_or((aor, Found::default()))
}

/// The user's address-of-record: as in a REGISTER where the host is ours.
fn registered(view: &View, config: &ProfileConfig, user: &str, host: &str) -> Aor {
    let user = unescaped(user);
    if view.is_ours(host) {
        return registered_as(config, &user, host, |domain| view.directory.id(domain, &user));
    }
    Aor::of(&user, host)
}

fn unescaped(user: &str) -> Cow<'_, str> {
    match chappe_sip_msg::unescape(user.as_bytes()) {
        Cow::Borrowed(_) => Cow::Borrowed(user),
        Cow::Owned(octets) => Cow::Owned(String::from_utf8_lossy(&octets).into_owned()),
    }
}

/// An answer goes to the sender's devices once each. FreeSWITCH sends it to where the question came from, once a device;
/// its way is taken, and once, where none of the devices is there.
fn redirected(mut legs: SmallVec<[Leg; 2]>, elsewhere: Option<Peer>) -> SmallVec<[Leg; 2]> {
    let Some(peer) = elsewhere.filter(|peer| !legs.iter().any(|leg| leg.peer.addr == peer.addr)) else {
        return legs;
    };
    legs.truncate(1);
    legs.iter_mut().for_each(|leg| leg.peer = peer);
    legs
}

fn user_uri(user: &str, host: &str) -> String {
    let mut uri = String::with_capacity(user.len() + host.len() + 16);
    push_user_uri(user, host, &mut uri);
    uri
}

/// The same in angle brackets.
fn user_address(user: &str, host: &str) -> String {
    let mut address = String::with_capacity(user.len() + host.len() + 16);
    address.push('<');
    push_user_uri(user, host, &mut address);
    address.push('>');
    address
}

fn push_user_uri(user: &str, host: &str, out: &mut String) {
    out.push_str("sip:");
    uri_user(user, out);
    out.push('@');
    push_host(host, out);
}

/// A copy a device: the flows of one are tried one after the other, the preferred that stands first.
fn legs<'b>(
    profile: &Profile,
    bindings: impl Iterator<Item = &'b Arc<Binding>>,
    to: Option<&str>,
) -> SmallVec<[Leg; 2]> {
    let is_open = |peer: &Peer| !peer.transport.is_reliable() || profile.connections().is_open(peer);
    let (mut legs, mut instances) = (SmallVec::<[Leg; 2]>::new(), SmallVec::<[&str; 2]>::new());
    for binding in bindings {
        let (mut leg, instance) = (binding_leg(profile, binding, to), binding.instance());
        match instances.iter().position(|known| !known.is_empty() && *known == instance) {
            Some(at) => {
                let first = &mut legs[at];
                if !is_open(&first.peer) && is_open(&leg.peer) {
                    leg.flows = std::mem::take(&mut first.flows);
                    std::mem::swap(first, &mut leg);
                }
                first.flows.push(leg);
            }
            None => {
                legs.push(leg);
                instances.push(instance);
            }
        }
    }
    legs
}

/// Whether a copy can go to the device at once. One that can be woken is, unless its connection stands (RFC 8599 §5.6.2); where
/// it has to connect first, the message waits until it registers. Datagrams may reach it, so they are sent all the same.
fn is_awake(
    from: &From<'_>,
    message: &Event,
    aor: &Aor,
    binding: &Arc<Binding>,
    sleepers: &mut Sleepers,
) -> bool {
    let From { world, profile, settings, .. } = *from;
    let Some(device) = Asked::of(binding.contact()).device() else { return true };
    if !settings.config.push.as_ref().is_some_and(|push| push.has(device.provider)) {
        return true;
    }
    let received = binding.received();
    let is_stream = received.transport.is_reliable();
    let is_composing = message.get(header::TYPE).is_some_and(|kind| kind.starts_with(COMPOSING));
    if is_stream && profile.connections().is_open(&received) {
        // It may have gone without a word.
        sleepers.extend((!is_composing).then(|| (aor.clone(), binding.clone())));
        return true;
    }
    if !is_composing {
        profile.wake(world, Why::Message, aor, binding);
    }
    !is_stream
}

/// RFC 3261 §8.1.1.2: To is whom the message is for, not the device; the contact's port and transport may not stand
/// there (§19.1.1). linphone takes To for the account a message came to, and finds no message for a receipt that came to
/// another. FreeSWITCH writes the contact.
fn binding_leg(profile: &Profile, binding: &Binding, to: Option<&str>) -> Leg {
    Leg {
        uri: binding.contact().to_owned(),
        to: to.map_or_else(|| format!("\"\" <{}>", binding.contact()), str::to_owned),
        route: binding.path().map(|hop| format!("<{hop}>")).collect(),
        peer: way_to(binding, |peer| profile.connections().is_open(peer)),
        flows: Vec::new(),
    }
}

/// `to_sip_ip`, `to_sip_port` and `to_sip_transport`: where the sender of the message that is answered was seen.
/// Deviation: FreeSWITCH forgets the port when the recipient's host is that address.
fn source_of(message: &Event) -> Option<Peer> {
    let ip = message.get(header::TO_SIP_IP)?.parse().ok()?;
    let port = message.get(header::TO_SIP_PORT).and_then(|port| port.parse().ok()).unwrap_or(5060);
    let transport = message.get(header::TO_SIP_TRANSPORT).and_then(|name| Transport::parse(name.as_bytes()));
    Some(Peer { transport: transport.unwrap_or(Transport::Udp), ..Peer::udp(SocketAddr::new(ip, port)) })
}

fn uri(text: String, source: Option<Peer>) -> Result<Destination, Delivery> {
    let bare = text.trim();
    let parsed =
        Uri::parse(bare.as_bytes()).ok().filter(|uri| matches!(uri.scheme, Scheme::Sip | Scheme::Sips));
    let Some(parsed) = parsed else {
        return Err(Delivery::Failed(format!("{bare} is no SIP address")));
    };
    let transport = match parsed.scheme {
        // RFC 3261 §26.2.2.
        Scheme::Sips => Some(Transport::Tls),
        _ => parsed.param("transport").and_then(Transport::parse),
    };
    let to = format!("<{bare}>");
    let direct = parsed.ip().map(|ip| Peer {
        transport: transport.unwrap_or(Transport::Udp),
        addr: SocketAddr::new(ip, parsed.port.unwrap_or(transport.map_or(5060, Transport::default_port))),
        connection: None,
    });
    Ok(match source.or(direct) {
        Some(peer) => {
            let leg = Leg { uri: bare.to_owned(), to, route: SmallVec::new(), peer, flows: Vec::new() };
            Destination::Legs(smallvec![leg], Sleepers::new())
        }
        None => Destination::Foreign(Foreign {
            uri: bare.to_owned(),
            to,
            route: SmallVec::new(),
            hop: Hop {
                host: String::from_utf8_lossy(parsed.host).into_owned(),
                port: parsed.port,
                transport,
            },
            gateway: None,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_to() {
        let cases = [
            ("1009@chat.test", (None, "1009", Some("chat.test"), false)),
            ("internal/1009@chat.test", (Some("internal"), "1009", Some("chat.test"), false)),
            ("1009", (None, "1009", None, false)),
            ("sip:1010@127.0.0.1:7110", (None, "sip:1010@127.0.0.1:7110", Some("127.0.0.1:7110"), true)),
            ("internal/sip:1@h", (Some("internal"), "sip:1@h", Some("h"), true)),
            ("sips:1@h", (None, "sips:1@h", Some("h"), true)),
        ];
        for (to, (profile, user, host, is_uri)) in cases {
            let address = Address::parse(to);
            let seen = (address.profile, address.user, address.host, address.is_uri);
            assert_eq!(seen, (profile, user, host, is_uri), "{to}");
        }
    }

    #[test]
    fn a_user_part_says_nothing_of_the_way() {
        let user = "x;fs_path=sip%3Aa%40127.0.0.1%3A8021;y";
        let Ok(Destination::Legs(legs, _)) = uri(user_uri(user, "198.51.100.7"), None) else {
            panic!("an address is known")
        };
        assert_eq!(legs[0].peer, Peer::udp("198.51.100.7:5060".parse().unwrap()));
    }
}
