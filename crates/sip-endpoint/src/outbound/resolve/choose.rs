//! What RFC 3263 makes of DNS records: which names to ask for, and in what order servers are tried. No I/O.

use std::net::{IpAddr, SocketAddr};

use chappe_sip_proto::{Peer, Transport};

/// The transports that we speak and their usual names, the preferred first, RFC 3263 §4.1.
const OURS: [(Transport, &str); 3] =
    [(Transport::Udp, "_sip._udp"), (Transport::Tcp, "_sip._tcp"), (Transport::Tls, "_sips._tcp")];
/// RFC 3261 §18.1.1: requests of more octets go by a transport that has congestion control.
const LARGE: usize = 1300;

/// A place to try, and whether its transport was laid down by DNS or by the URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub peer: Peer,
    pub fixed: bool,
}

/// In the order in which they are tried, RFC 3263 §4.3.
pub type Targets = Vec<Target>;

/// A NAPTR record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    pub order: u16,
    pub preference: u16,
    pub service: String,
    pub replacement: String,
}

/// An SRV record with its target's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    pub addresses: Vec<IpAddr>,
}

/// The servers of one transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub transport: Transport,
    /// Whether DNS or the URI named the transport.
    pub fixed: bool,
    pub servers: Vec<Server>,
}

/// What there is of a domain, the preferred service first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found(pub Vec<Service>);

/// RFC 3263 §4.1: the SRV names to ask for. Those of NAPTR where it has some that we speak, else the usual ones.
pub fn services(mut naptr: Vec<Naptr>, host: &str, wanted: Option<Transport>) -> Vec<(Transport, String)> {
    naptr.sort_by_key(|record| (record.order, record.preference));
    let mut names: Vec<_> = naptr
        .into_iter()
        .filter_map(|record| Some((by_service(&record.service)?, record.replacement)))
        .filter(|(_, name)| !name.trim_matches('.').is_empty())
        .collect();
    if names.is_empty() {
        let usual = |(transport, name)| (transport, format!("{name}.{host}"));
        names = OURS.map(usual).into();
    }
    names.retain(|(transport, _)| wanted.is_none_or(|wanted| wanted == *transport));
    names
}

fn by_service(service: &str) -> Option<Transport> {
    match service.to_ascii_uppercase().as_str() {
        "SIP+D2U" => Some(Transport::Udp),
        "SIP+D2T" => Some(Transport::Tcp),
        "SIPS+D2T" => Some(Transport::Tls),
        _ => None,
    }
}

impl Found {
    /// The servers in the order in which they are tried; `draw` gives a number from 0 to the one it is given.
    pub fn targets(&self, mut draw: impl FnMut(u32) -> u32) -> Targets {
        let mut targets = Targets::new();
        for service in &self.0 {
            for server in in_order(&service.servers, &mut draw) {
                for ip in &server.addresses {
                    let addr = SocketAddr::new(*ip, server.port);
                    let peer = Peer { transport: service.transport, addr, connection: None };
                    targets.push(Target { peer, fixed: service.fixed });
                }
            }
        }
        targets
    }
}

/// RFC 2782: by priority, and among equals at random by weight.
fn in_order<'s>(servers: &'s [Server], draw: &mut impl FnMut(u32) -> u32) -> Vec<&'s Server> {
    let mut left: Vec<_> = servers.iter().collect();
    // Those without a weight first, so that they have a small chance to be drawn.
    left.sort_by_key(|server| (server.priority, server.weight != 0));
    let mut order = Vec::with_capacity(left.len());
    while let Some(first) = left.first() {
        let equals = left.iter().take_while(|server| server.priority == first.priority).count();
        let sum: u32 = left[..equals].iter().map(|server| u32::from(server.weight)).sum();
        let drawn = draw(sum);
        let mut running = 0;
        let reaches = |server: &&Server| {
            running += u32::from(server.weight);
            running >= drawn
        };
        let chosen = left[..equals].iter().position(reaches).unwrap_or(0);
        order.push(left.remove(chosen));
    }
    order
}

/// RFC 3261 §18.1.1: a large request goes by TCP to whomever a transport was not laid down for, and by UDP where no
/// connection can be made. Where there is a choice, places that take TCP come first.
pub fn for_size(targets: Targets, octets: usize, tcp: bool) -> Vec<Peer> {
    let (large, mut peers) = (octets > LARGE, Vec::with_capacity(targets.len()));
    let mut targets = targets;
    if !tcp {
        targets.retain(|target| target.peer.transport != Transport::Tcp);
    }
    if large && tcp {
        targets.sort_by_key(|target| target.fixed && target.peer.transport == Transport::Udp);
    }
    for Target { peer, fixed } in targets {
        if large && tcp && !fixed && peer.transport == Transport::Udp {
            peers.push(Peer { transport: Transport::Tcp, ..peer });
        }
        peers.push(peer);
    }
    peers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naptr(order: u16, preference: u16, service: &str, replacement: &str) -> Naptr {
        Naptr { order, preference, service: service.to_owned(), replacement: replacement.to_owned() }
    }

    fn names(naptr: Vec<Naptr>, wanted: Option<Transport>) -> String {
        let names = services(naptr, "e.test", wanted);
        names.iter().map(|(transport, name)| format!("{transport} {name}")).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn which_services_are_asked_for() {
        let all = "UDP _sip._udp.e.test, TCP _sip._tcp.e.test, TLS _sips._tcp.e.test";
        assert_eq!(names(vec![], None), all);
        assert_eq!(names(vec![], Some(Transport::Tcp)), "TCP _sip._tcp.e.test");
        assert_eq!(names(vec![], Some(Transport::Tls)), "TLS _sips._tcp.e.test");
        assert_eq!(names(vec![], Some(Transport::Ws)), "");
        let tls = || naptr(1, 1, "SIPS+D2T", "_sips._tcp.e.test.");
        assert_eq!(names(vec![tls()], None), "TLS _sips._tcp.e.test.");
        assert_eq!(names(vec![naptr(1, 1, "E2U+sip", "x.test.")], None), all);
        let records = vec![
            naptr(50, 90, "sip+d2u", "_sip._udp.a.test."),
            naptr(50, 50, "SIP+D2T", "_sip._tcp.b.test."),
            naptr(10, 99, "SIP+D2T", "_sip._tcp.c.test."),
            naptr(1, 1, "SIP+D2U", "."),
            tls(),
        ];
        assert_eq!(
            names(records, None),
            "TLS _sips._tcp.e.test., TCP _sip._tcp.c.test., TCP _sip._tcp.b.test., UDP _sip._udp.a.test."
        );
    }

    fn order(servers: &[(u16, u16)], draws: &[u32]) -> Vec<u16> {
        let servers: Vec<_> = (0..)
            .zip(servers)
            .map(|(port, (priority, weight))| Server {
                priority: *priority,
                weight: *weight,
                port,
                addresses: vec![[192, 0, 2, 1].into()],
            })
            .collect();
        let mut draws = draws.iter();
        let found = Found(vec![Service { transport: Transport::Udp, fixed: true, servers }]);
        found
            .targets(|most| draws.next().copied().unwrap_or(0).min(most))
            .iter()
            .map(|t| t.peer.addr.port())
            .collect()
    }

    #[test]
    fn servers_by_priority_and_weight() {
        /// Priorities and weights, what is drawn, the order.
        type Case = (&'static [(u16, u16)], &'static [u32], &'static [u16]);
        let cases: &[Case] = &[
            (&[(20, 0), (10, 0)], &[], &[1, 0]),
            (&[(10, 60), (10, 20), (10, 20)], &[60], &[0, 1, 2]),
            (&[(10, 60), (10, 20), (10, 20)], &[61], &[1, 0, 2]),
            (&[(10, 60), (10, 20), (10, 20)], &[100, 80], &[2, 1, 0]),
            (&[(10, 60), (10, 0)], &[0], &[1, 0]),
            (&[(10, 60), (10, 0)], &[1], &[0, 1]),
            (&[(10, 0), (10, 0)], &[0], &[0, 1]),
            (&[(20, 5), (10, 5), (20, 5)], &[5, 6], &[1, 2, 0]),
            (&[], &[], &[]),
        ];
        for (servers, draws, expected) in cases {
            assert_eq!(order(servers, draws), *expected, "{servers:?} {draws:?}");
        }
    }

    #[test]
    fn weights_are_shares() {
        let mut seed = 1u64;
        let mut first = [0; 2];
        for _ in 0..10_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let order = order(&[(1, 30), (1, 10)], &[((seed >> 33) % 41) as u32]);
            first[usize::from(order[0])] += 1;
        }
        assert!((7000..8000).contains(&first[0]), "{first:?}");
    }

    #[test]
    fn large_requests_prefer_tcp() {
        let at = |transport: Transport, port: u16, fixed: bool| {
            let addr = SocketAddr::from(([192, 0, 2, 1], port));
            Target { peer: Peer { transport, addr, connection: None }, fixed }
        };
        let (udp, tcp) = (Transport::Udp, Transport::Tcp);
        let shown = |targets: &[Target], octets, has_tcp| {
            let peers = for_size(targets.to_vec(), octets, has_tcp);
            peers.iter().map(|p| format!("{}{}", p.transport, p.addr.port())).collect::<Vec<_>>().join(" ")
        };
        let cases: &[(&[Target], usize, bool, &str)] = &[
            (&[at(udp, 1, false)], 1300, true, "UDP1"),
            (&[at(udp, 1, false)], 1301, true, "TCP1 UDP1"),
            (&[at(udp, 1, false)], 1301, false, "UDP1"),
            (&[at(udp, 1, true)], 1301, true, "UDP1"),
            (&[at(udp, 1, true), at(tcp, 2, true)], 1301, true, "TCP2 UDP1"),
            (&[at(udp, 1, true), at(tcp, 2, true)], 500, true, "UDP1 TCP2"),
            (&[at(tcp, 2, true), at(udp, 1, true)], 500, false, "UDP1"),
            (&[at(tcp, 2, false)], 9000, true, "TCP2"),
        ];
        for (targets, octets, has_tcp, expected) in cases {
            assert_eq!(shown(targets, *octets, *has_tcp), *expected, "{targets:?} {octets} {has_tcp}");
        }
    }
}
