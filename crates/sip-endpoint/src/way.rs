//! The way to a device: where a request for a binding goes.

use std::net::{IpAddr, SocketAddr};

use chappe_sip_msg::{Scheme, Uri};
use chappe_sip_proto::registrar::Binding;
use chappe_sip_proto::{Peer, Transport};

/// Where a request for this binding goes. `is_open` says whether a connection still stands.
///
/// A connection that the device opened is used again, and a device that the profile knows to be behind a NAT is where its
/// REGISTER came from. Where it is gone, a contact that names no transport is reached
/// by UDP (RFC 3263 §4.1). A datagram goes to the contact, as RFC 3261 §8.1.2 says, unless
/// the contact can't be where the device is: a name, or a private address other than the one its REGISTER came from.
/// Whoever may register must not be able to have this machine's own services written to: a loopback address is a
/// device's only if the REGISTER came from one.
pub fn way_to(binding: &Binding, is_open: impl Fn(&Peer) -> bool) -> Peer {
    let received = binding.received();
    let reachable =
        |(peer, _): &(Peer, Option<Transport>)| can_be_sent_to(peer.addr.ip(), received.addr.ip());
    // RFC 3327 §5.3: the first hop of the path comes before the contact.
    if let Some(first) = binding.path().next() {
        return address(first).filter(reachable).map_or(received, |(peer, _)| peer);
    }
    if binding.is_nat() && received.transport == Transport::Udp {
        return received;
    }
    let contact = address(binding.contact()).filter(reachable);
    let insists_on_udp = contact.is_some_and(|(_, named)| named == Some(Transport::Udp));
    if received.transport != Transport::Udp && !insists_on_udp && is_open(&received) {
        return received;
    }
    match contact {
        Some((contact, named)) if named.is_some_and(Transport::is_reliable) => contact,
        Some((contact, _)) if received.transport == Transport::Udp && is_hidden(contact, received) => {
            received
        }
        Some((contact, _)) => contact,
        None => received,
    }
}

/// Whether an address that somebody named may be written to. `witness` is one that is known to be real: from the loopback
/// the loopback is reached as well.
pub fn can_be_sent_to(named: IpAddr, witness: IpAddr) -> bool {
    let (named, witness) = (named.to_canonical(), witness.to_canonical());
    let is_broadcast = matches!(named, IpAddr::V4(v4) if v4.is_broadcast());
    let is_nowhere = named.is_multicast() || named.is_unspecified() || is_broadcast;
    !is_nowhere && (!named.is_loopback() || witness.is_loopback())
}

/// Whether the device's contact is not where it is.
pub fn is_behind_nat(binding: &Binding) -> bool {
    let received = binding.received().addr;
    let contact = address(binding.contact()).map(|(peer, _)| peer.addr);
    binding.is_nat()
        || contact.is_none_or(|contact| contact.ip().to_canonical() != received.ip().to_canonical())
}

fn is_hidden(contact: Peer, received: Peer) -> bool {
    let (contact, received) = (contact.addr.ip().to_canonical(), received.addr.ip().to_canonical());
    contact != received
        && match contact {
            IpAddr::V4(v4) => {
                let [a, b, ..] = v4.octets();
                // RFC 6598: 100.64.0.0/10 stands behind the NATs of providers.
                v4.is_private() || v4.is_link_local() || v4.is_unspecified() || (a, b & 0xc0) == (100, 64)
            }
            IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified(),
        }
}

/// The address of a URI with a numeric host, and the transport that it names.
pub fn address(uri: &str) -> Option<(Peer, Option<Transport>)> {
    let uri = Uri::parse(uri.as_bytes()).ok()?;
    let named = match uri.scheme {
        // RFC 3261 §26.2.2: TLS, whatever transport is named.
        Scheme::Sips => Some(Transport::Tls),
        _ => uri.param("transport").and_then(Transport::parse),
    };
    let port = uri.port.unwrap_or(named.map_or(5060, Transport::default_port));
    let addr = SocketAddr::new(uri.ip()?, port);
    Some((Peer { transport: named.unwrap_or(Transport::Udp), addr, connection: None }, named))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use chappe_sip_proto::ConnectionId;

    use super::*;
    use crate::registrar::tests::{register, registrar};

    fn way(contact: &str, path: &str, received: Peer, open: bool) -> String {
        let path = if path.is_empty() { String::new() } else { format!("Path: <{path}>\r\n") };
        let ((registrar, _), now) = (registrar(), Instant::now());
        register(&registrar, now, received, 1, &format!("Contact: <{contact}>\r\n{path}"));
        way_to(&registrar.lookup(now, "a", "D")[0], |_| open).to_string()
    }

    #[test]
    fn the_way_to_a_device() {
        let udp = Peer::udp("192.0.2.9:1024".parse().unwrap());
        let here = Peer::udp("127.0.0.1:1024".parse().unwrap());
        let tcp = Peer { transport: Transport::Tcp, connection: Some(ConnectionId(1)), ..udp };
        let ws = Peer { transport: Transport::Wss, ..tcp };
        let cases = [
            ("sip:a@192.0.2.9:1024", "", udp, false, "UDP:192.0.2.9:1024"),
            ("sip:a@192.0.2.9:5070", "", udp, false, "UDP:192.0.2.9:5070"),
            ("sip:a@198.51.100.1", "", udp, false, "UDP:198.51.100.1:5060"),
            ("sip:a@192.168.1.5:5060", "", udp, false, "UDP:192.0.2.9:1024"),
            ("sip:a@phone.local", "", udp, false, "UDP:192.0.2.9:1024"),
            ("sip:a@192.0.2.9:5071;transport=tcp", "", udp, false, "TCP:192.0.2.9:5071"),
            ("sip:a@192.168.1.5;transport=tcp", "", tcp, true, "TCP:192.0.2.9:1024"),
            ("sip:a@192.0.2.9:5070;transport=tcp", "", tcp, false, "TCP:192.0.2.9:5070"),
            ("sip:a@192.0.2.9:5070", "", tcp, false, "UDP:192.0.2.9:5070"),
            ("sip:a@192.0.2.9:5070;transport=udp", "", tcp, true, "UDP:192.0.2.9:5070"),
            ("sips:a@192.0.2.9", "", udp, false, "TLS:192.0.2.9:5061"),
            ("sip:a@192.0.2.9;transport=tls", "", udp, false, "TLS:192.0.2.9:5061"),
            ("sip:x7@dfj3.invalid;transport=ws", "", ws, true, "WSS:192.0.2.9:1024"),
            ("sip:x7@dfj3.invalid;transport=ws", "", ws, false, "WSS:192.0.2.9:1024"),
            ("sip:a@127.0.0.1:8021;transport=tcp", "", udp, false, "UDP:192.0.2.9:1024"),
            ("sip:a@[::ffff:127.0.0.1]:8021;transport=tcp", "", udp, false, "UDP:192.0.2.9:1024"),
            ("sip:a@239.1.1.1", "", udp, false, "UDP:192.0.2.9:1024"),
            ("sip:a@192.168.1.5", "sip:127.0.0.1:8021;transport=tcp;lr", udp, false, "UDP:192.0.2.9:1024"),
            ("sip:a@127.0.0.1:5070", "", here, false, "UDP:127.0.0.1:5070"),
            ("sip:a@192.168.1.5", "sip:203.0.113.1:5080;lr", udp, false, "UDP:203.0.113.1:5080"),
        ];
        for (contact, path, received, open, expected) in cases {
            assert_eq!(way(contact, path, received, open), expected, "{contact} {path} {received}");
        }
    }
}
