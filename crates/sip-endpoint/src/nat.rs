//! Devices behind a NAT: how they are found out, and how FreeSWITCH writes where they are.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use chappe_directory::User;
use chappe_sip_msg::{Contact, Message};
use chappe_sip_proto::Peer;
use chappe_sip_proto::registrar::Binding;

use crate::access;
use crate::config::NatConfig;
use crate::inbound::Request;
use crate::profile::Profile;
use crate::push::masked;
use crate::way::address;
use crate::world::View;

/// The variable of a user whose devices are behind a NAT whatever they say.
const FORCE_CONTACT: &str = "sip-force-contact";
/// Its values that say so. FreeSWITCH sofia_reg.c sofia_reg_handle_register_token.
const DYSFUNCTION: [&str; 4] = [
    "nat-connectile-dysfunction",
    "NDLB-connectile-dysfunction",
    "NDLB-connectile-dysfunction-2.0",
    "NDLB-tls-connectile-dysfunction",
];

/// Whether the device that sent this REGISTER is behind a NAT, as far as the profile is told to find out.
/// FreeSWITCH sofia_reg.c sofia_reg_handle_sip_i_register.
pub fn is_behind(profile: &Profile, view: &View, request: &Request<'_, '_>, user: Option<&User>) -> bool {
    let settings = profile.settings();
    let nat = &settings.config.nat;
    let forced = user.and_then(|user| user.variable(FORCE_CONTACT));
    if forced.is_some_and(|text| DYSFUNCTION.iter().any(|known| text.eq_ignore_ascii_case(known))) {
        return true;
    }
    let is_local = || nat.local.as_ref().is_some_and(|list| view.acl.allows(list, access::ip(request.peer)));
    let has_inner_contact = || {
        let own = profile.addr.ip().to_canonical();
        let is_behind_too = settings.config.ext_sip_ip.is_none();
        contact_is_inner(nat, view, request.message, |list| is_behind_too && view.acl.allows(list, own))
    };
    (nat.aggressive && comes_from_elsewhere(request.message, request.peer.addr) || has_inner_contact())
        && !is_local()
}

/// Whether Via names another address or port than the request came from; one without a port names none.
fn comes_from_elsewhere(message: &Message<'_>, source: SocketAddr) -> bool {
    let Ok(via) = message.via() else { return false };
    let named = std::str::from_utf8(via.host).ok();
    let named = named.and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    let is_there = named.is_some_and(|ip| ip.to_canonical() == source.ip().to_canonical());
    !is_there || via.port.is_some_and(|port| port != source.port())
}

/// Whether all lists of `apply-nat-acl` allow the contact's address; those that are `ours` say nothing: the profile is behind
/// the same NAT.
fn contact_is_inner(
    nat: &NatConfig,
    view: &View,
    message: &Message<'_>,
    ours: impl Fn(&str) -> bool,
) -> bool {
    let mut lists = nat.acl.iter().filter(|list| !ours(list)).peekable();
    if lists.peek().is_none() {
        return false;
    }
    let contact = message.contacts().flatten().find_map(|contact| match contact {
        Contact::Address(address) => address.uri.ip(),
        Contact::All => None,
    });
    contact.is_some_and(|ip| lists.all(|list| view.acl.allows(list, ip.to_canonical())))
}

/// A binding's contact as FreeSWITCH shows it to people and programs: that of a device behind a NAT says where the device is.
/// FreeSWITCH sofia_reg.c sofia_reg_handle_register_token.
pub fn shown<'b>(binding: &'b Binding, nat: &NatConfig) -> Cow<'b, str> {
    let contact = masked(binding.contact());
    if !binding.is_nat() {
        return contact;
    }
    let received = binding.received().addr;
    // Headers of the URI stand behind its params.
    let (uri, headers) = contact.split_once('?').map_or((&*contact, None), |(uri, rest)| (uri, Some(rest)));
    let mut out = uri.to_owned();
    // Writing to a String does not fail.
    if nat.tells_received {
        let _ = write!(out, ";received={received}");
    }
    out.push_str(";fs_nat=yes");
    if binding.path().next().is_none() {
        out.push_str(";fs_path=");
        escape(&seen(uri, received), &mut out);
    }
    if let Some(headers) = headers {
        let _ = write!(out, "?{headers}");
    }
    out.into()
}

/// The contact with the address that the device was seen at.
fn seen(uri: &str, received: SocketAddr) -> String {
    let (scheme, rest) = uri.split_once(':').unwrap_or(("sip", uri));
    let (address, params) = rest.split_once(';').map_or((rest, ""), |(address, params)| (address, params));
    let user = address.rsplit_once('@').map(|(user, _)| format!("{user}@")).unwrap_or_default();
    let params = if params.is_empty() { String::new() } else { format!(";{params}") };
    format!("{scheme}:{user}{received}{params}")
}

/// FreeSWITCH switch_utils.c switch_url_encode.
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(byte.into())
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

/// A URI that [`shown`] made, as the device's own contact and where it is. What looks alike in the user part, which may be a
/// sender's, says nothing.
/// FreeSWITCH sofia_glue.c sofia_glue_get_destination.
pub fn parted(uri: &str) -> (&str, Option<Peer>) {
    let host = uri.find('@').unwrap_or_default();
    let Some(at) = uri[host..].find(";fs_").map(|at| host + at) else { return (uri, None) };
    let (contact, rest) = (&uri[..at], &uri[at + ";fs_".len()..]);
    let path =
        rest.split(';').find_map(|param| param.strip_prefix("fs_").unwrap_or(param).strip_prefix("path="));
    let path = path.map(|path| chappe_sip_msg::unescape(path.as_bytes()));
    let peer = path.and_then(|path| address(std::str::from_utf8(&path).ok()?)).map(|(peer, _)| peer);
    (contact, peer)
}

#[cfg(test)]
mod tests {
    use chappe_sip_proto::Transport;

    use super::*;

    fn register(via: &str) -> String {
        format!(
            "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bKx\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:a@h>\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\n\r\n"
        )
    }

    #[test]
    fn a_via_is_held_against_where_the_request_came_from() {
        for (via, source, expected) in [
            ("192.0.2.1:5060", "192.0.2.1:5060", false),
            ("192.0.2.1", "192.0.2.1:5060", false),
            ("192.0.2.1", "192.0.2.1:1024", false),
            ("192.0.2.1:5060", "192.0.2.1:1024", true),
            ("192.168.1.5:5060", "192.0.2.1:5060", true),
            ("phone.local", "192.0.2.1:5060", true),
            ("[2001:db8::1]:5060", "[2001:db8::1]:5060", false),
            ("192.0.2.1:5060", "[::ffff:192.0.2.1]:5060", false),
        ] {
            let text = register(via);
            let message = chappe_sip_msg::parse(text.as_bytes()).unwrap();
            assert_eq!(comes_from_elsewhere(&message, source.parse().unwrap()), expected, "{via} {source}");
        }
    }

    #[test]
    fn what_is_shown_leads_back_to_the_device() {
        let addr: SocketAddr = "192.0.2.9:1024".parse().unwrap();
        for (uri, expected, transport) in [
            ("sip:a@10.0.0.1:5060", "sip%3Aa%40192.0.2.9%3A1024", Transport::Udp),
            ("sip:10.0.0.1", "sip%3A192.0.2.9%3A1024", Transport::Udp),
            ("sip:a@10.0.0.1;transport=tcp", "sip%3Aa%40192.0.2.9%3A1024%3Btransport%3Dtcp", Transport::Tcp),
        ] {
            let mut path = String::new();
            escape(&seen(uri, addr), &mut path);
            assert_eq!(path, expected);
            for text in [
                format!("{uri};fs_nat=yes;fs_path={path}"),
                format!("{uri};fs_path={path}"),
                format!("{uri};fs_path={path};x=y"),
            ] {
                assert_eq!(parted(&text), (uri, Some(Peer { transport, addr, connection: None })), "{text}");
            }
        }
        assert_eq!(parted("sip:a@h;fs_nat=yes"), ("sip:a@h", None));
        for other in
            ["sip:a@h;transport=tcp", "sip:a;fs_path=sip%3Ab%40127.0.0.1;y@h", "sip:a;fs_nat=yes@h;x=y"]
        {
            assert_eq!(parted(other), (other, None));
        }
    }
}
