//! Where a message goes: the profile, and the user's bindings or an address.
//! FreeSWITCH sofia_presence.c sofia_presence_chat_send.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use chappe_chat::Delivery;
use chappe_event::{Event, header};
use chappe_sip_msg::{Scheme, Uri};
use chappe_sip_proto::registrar::{Binding, Found};
use chappe_sip_proto::{Peer, Transport};
use smallvec::{SmallVec, smallvec};

use super::request::host_text;
use crate::profile::Profile;
use crate::registrar::way_to;
use crate::shard::Leg;
use crate::world::{View, World};

/// Where the copies of a message go.
pub enum Destination {
    Legs(SmallVec<[Leg; 2]>),
    /// The host has to be looked up first.
    Foreign(Foreign),
}

/// A user of another domain.
pub struct Foreign {
    pub uri: String,
    pub to: String,
    pub host: String,
    pub port: Option<u16>,
    pub transport: Option<Transport>,
}

/// The parts of `to`: `[profile/]user[@host]`, or `[profile/]sip:user@host`.
struct Address<'t> {
    profile: Option<&'t str>,
    user: &'t str,
    host: Option<&'t str>,
    is_uri: bool,
}

/// The profile to send from and where to; otherwise what became of the message.
pub fn find(world: &World, message: &Event) -> Result<(Arc<Profile>, Destination), Delivery> {
    let missing = |what: &str| Delivery::Failed(format!("the message has no {what}"));
    let to = message.get(header::TO).filter(|to| !to.is_empty()).ok_or_else(|| missing("to"))?;
    message.get(header::FROM).filter(|from| !from.is_empty()).ok_or_else(|| missing("from"))?;
    let address = Address::parse(to);
    let view = world.view();
    let profile = profile(&view, message, &address)?;
    let destination = destination(&view, &profile, message, &address)?;
    Ok((profile, destination))
}

impl<'t> Address<'t> {
    fn parse(to: &'t str) -> Self {
        let (profile, user) = match to.split_once('/') {
            Some((profile, user)) => (Some(profile), user),
            None => (None, to),
        };
        let is_uri = user.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("sip:"));
        match user.split_once('@') {
            Some((_, host)) if is_uri => Self { profile, user, host: Some(host), is_uri },
            Some((name, host)) => Self { profile, user: name, host: Some(host), is_uri },
            None => Self { profile, user, host: None, is_uri },
        }
    }
}

/// Named in `to`, else in `sip_profile`, else the one that the host is an alias of.
fn profile(view: &View, message: &Event, address: &Address<'_>) -> Result<Arc<Profile>, Delivery> {
    let named = address.profile.or_else(|| message.get(header::SIP_PROFILE));
    let found = match named.or(address.host) {
        Some(name) => view.profile(name),
        None => None,
    };
    // Deviation: FreeSWITCH fails when only a host names the profile and no profile has that alias.
    let found = found.or_else(|| if named.is_none() { view.profiles.first() } else { None });
    found.cloned().ok_or_else(|| {
        let name = named.or(address.host).unwrap_or("NULL");
        tracing::error!("Invalid Profile {name}");
        Delivery::Failed(format!("no profile {name}"))
    })
}

fn destination(
    view: &View,
    profile: &Arc<Profile>,
    message: &Event,
    address: &Address<'_>,
) -> Result<Destination, Delivery> {
    let settings = profile.settings();
    let host = address.host.filter(|host| !host.is_empty()).unwrap_or(&settings.domain);
    let source = source_of(profile, message, host);
    if address.is_uri {
        return uri(address.user.to_owned(), source);
    }
    let bindings = lookup(view, profile, address.user, host);
    if !bindings.is_empty() {
        // An answer goes to the sender's devices once each, not to where the question came from.
        let override_peer = source.filter(|_| !message.is_true(header::REPLYING));
        return Ok(Destination::Legs(
            bindings.iter().map(|b| binding_leg(profile, b, override_peer)).collect(),
        ));
    }
    if source.is_none() && view.is_ours(host) {
        return Err(Delivery::NobodyRegistered);
    }
    let mut target = String::from("sip:");
    chappe_sip_msg::escape_user(address.user, &mut target);
    uri(format!("{target}@{}", host_text(host)), source)
}

/// The user's bindings; any of the user's names will do.
fn lookup(view: &View, profile: &Profile, user: &str, host: &str) -> Found {
    let settings = profile.settings();
    let config = &settings.config;
    let find = |domain: &str| {
        let id = view.directory.user(domain, user).map_or(user, |known| known.id.as_str());
        profile.registrar.lookup(Instant::now(), id, domain)
    };
    let found = find(config.force_register_db_domain.as_deref().unwrap_or(host));
    match &config.force_register_domain {
        Some(domain) if found.is_empty() && view.is_ours(host) => find(domain),
        _ => found,
    }
}

fn binding_leg(profile: &Profile, binding: &Binding, override_peer: Option<Peer>) -> Leg {
    Leg {
        uri: binding.contact.to_string(),
        to: format!("\"\" <{}>", binding.contact),
        route: binding.path.iter().map(|hop| format!("<{hop}>")).collect(),
        peer: override_peer.unwrap_or_else(|| way_to(binding, |peer| profile.tcp().is_open(peer))),
    }
}

/// `to_sip_ip` and `to_sip_port`: where the sender of the message that is answered was seen.
fn source_of(profile: &Profile, message: &Event, host: &str) -> Option<Peer> {
    let ip = message.get(header::TO_SIP_IP).filter(|ip| *ip != host)?.parse().ok()?;
    let port = message.get(header::TO_SIP_PORT).and_then(|port| port.parse().ok()).unwrap_or(5060);
    let udp = Peer::udp(SocketAddr::new(ip, port));
    let tcp = Peer { transport: Transport::Tcp, ..udp };
    // Only one who came by TCP has a connection with that port.
    Some(if profile.tcp().is_open(&tcp) { tcp } else { udp })
}

fn uri(text: String, source: Option<Peer>) -> Result<Destination, Delivery> {
    let bare = text.trim();
    let parsed = Uri::parse(bare.as_bytes()).ok().filter(|uri| matches!(uri.scheme, Scheme::Sip));
    let Some(parsed) = parsed else {
        return Err(Delivery::Failed(format!("{bare} is no SIP address")));
    };
    let transport = parsed.param("transport").and_then(Transport::parse);
    let to = format!("<{bare}>");
    let direct = parsed.ip().map(|ip| Peer {
        transport: transport.unwrap_or(Transport::Udp),
        addr: SocketAddr::new(ip, parsed.port.unwrap_or(5060)),
        connection: None,
    });
    Ok(match source.or(direct) {
        Some(peer) => {
            Destination::Legs(smallvec![Leg { uri: bare.to_owned(), to, route: SmallVec::new(), peer }])
        }
        None => Destination::Foreign(Foreign {
            uri: bare.to_owned(),
            to,
            host: String::from_utf8_lossy(parsed.host).into_owned(),
            port: parsed.port,
            transport,
        }),
    })
}

/// A tag for a From that has none, RFC 3261 §19.3.
pub fn tag() -> String {
    let mut random = [0; 8];
    // Without randomness a tag is still a tag: nothing secret hangs on it.
    let _ = getrandom::fill(&mut random);
    format!("{:016x}", u64::from_ne_bytes(random))
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
        ];
        for (to, (profile, user, host, is_uri)) in cases {
            let address = Address::parse(to);
            let seen = (address.profile, address.user, address.host, address.is_uri);
            assert_eq!(seen, (profile, user, host, is_uri), "{to}");
        }
    }
}
