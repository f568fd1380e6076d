use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_sip_msg::Uri;

use super::register::instance_of;
use super::stamp::Stamp;
use crate::ConnectionId;
use crate::{Peer, Transport};

/// What stands before each hop of a path. No URI has one.
const HOP: char = '\n';

/// One way to reach a user.
///
/// There may be millions, so that it is packed: all its texts are one allocation, which a refresh that says the same
/// shares with what it replaces.
#[derive(Clone, PartialEq, Eq)]
pub struct Binding {
    /// Contact, Call-ID, flow, and the hops of the path, each behind a [`HOP`].
    texts: Arc<str>,
    user_agent: Arc<str>,
    expires: Stamp,
    since: Stamp,
    serial: u64,
    connection: Option<NonZeroU64>,
    /// IPv4 as RFC 4291 §2.5.5.2 maps it.
    ip: Ipv6Addr,
    scope: u32,
    cseq: u32,
    port: u16,
    /// Where contact, Call-ID and flow end in the texts.
    ends: [u16; 3],
    q: u16,
    transport: Transport,
    is_v4: bool,
    is_nat: bool,
}

/// What a [`Binding`] is made of.
#[derive(Clone, Debug)]
pub struct BindingParts<'a> {
    /// The contact's URI, as the client wrote it.
    pub contact: &'a str,
    /// Call-ID of the REGISTER that made or refreshed it.
    pub call_id: &'a str,
    /// Which of a device's flows it is, RFC 5626: empty where it is none.
    pub flow: &'a str,
    /// Path URIs, the one nearest to us first, RFC 3327.
    pub path: &'a [&'a str],
    /// Preference in thousandths, 0 to 1000; 1000 where the client named none.
    pub q: u16,
    /// When it runs out.
    pub expires_at: Instant,
    /// When this contact was first registered without a break.
    pub since: Instant,
    /// CSeq number of that REGISTER.
    pub cseq: u32,
    /// Where that REGISTER came from: behind a NAT the only way to the client.
    pub received: Peer,
    /// User-Agent of that REGISTER; empty without one.
    pub user_agent: Arc<str>,
    /// The client is behind a NAT: by datagrams only `received` leads to it, whatever its contact says.
    pub is_nat: bool,
}

impl Binding {
    /// `None`: its texts are longer than 65,535 octets.
    pub fn new(parts: &BindingParts<'_>) -> Option<Self> {
        Self::like(parts, None)
    }

    /// The same; texts that are those of `before` are shared with it.
    pub(super) fn like(parts: &BindingParts<'_>, before: Option<&Self>) -> Option<Self> {
        let &BindingParts { contact, call_id, flow, path, q, expires_at, since, cseq, received, .. } = parts;
        let (mut ends, mut end) = ([0; 3], 0);
        for (text, place) in [contact, call_id, flow].into_iter().zip(&mut ends) {
            end += text.len();
            *place = u16::try_from(end).ok()?;
        }
        let same = before.filter(|before| {
            before.ends == ends
                && before.contact() == contact
                && before.call_id() == call_id
                && before.flow() == flow
                && before.path().eq(path.iter().copied())
        });
        let (connection, ip) = (received.connection, received.addr.ip());
        Some(Self {
            texts: same.map_or_else(|| joined([contact, call_id, flow], path), |before| before.texts.clone()),
            user_agent: parts.user_agent.clone(),
            expires: Stamp::of(expires_at),
            since: Stamp::of(since),
            serial: 0,
            connection: connection.and_then(|id| NonZeroU64::new(id.0.wrapping_add(1))),
            ip: match ip {
                IpAddr::V4(v4) => v4.to_ipv6_mapped(),
                IpAddr::V6(v6) => v6,
            },
            scope: match received.addr {
                SocketAddr::V6(v6) => v6.scope_id(),
                SocketAddr::V4(_) => 0,
            },
            cseq,
            port: received.addr.port(),
            ends,
            q,
            transport: received.transport,
            is_v4: ip.is_ipv4(),
            is_nat: parts.is_nat,
        })
    }

    fn text(&self, number: usize) -> &str {
        let from = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.texts[from.into()..self.ends[number].into()]
    }

    /// Reads a little of what a message to it needs.
    pub(super) fn touch(&self) -> Option<u8> {
        let contact = self.contact().as_bytes();
        contact.first().zip(contact.last()).map(|(first, last)| first ^ last ^ self.transport as u8)
    }

    /// The contact's URI, as the client wrote it.
    pub fn contact(&self) -> &str {
        self.text(0)
    }

    /// Call-ID of the REGISTER that made or refreshed it.
    pub fn call_id(&self) -> &str {
        self.text(1)
    }

    /// Which of a device's flows it is, RFC 5626; empty where it is none.
    pub fn flow(&self) -> &str {
        self.text(2)
    }

    /// Whose flow it is, RFC 5626 §4.1; empty where it is none.
    pub fn instance(&self) -> &str {
        instance_of(self.flow())
    }

    /// Path URIs, the one nearest to us first, RFC 3327: they become the Route of a request to the contact.
    pub fn path(&self) -> impl Iterator<Item = &str> {
        self.texts[self.ends[2].into()..].split(HOP).skip(1)
    }

    /// Preference in thousandths.
    pub fn q(&self) -> u16 {
        self.q
    }

    /// When it runs out.
    pub fn expires_at(&self) -> Instant {
        self.expires.instant()
    }

    pub(super) fn expires(&self) -> Stamp {
        self.expires
    }

    /// When this contact was first registered without a break.
    pub fn since(&self) -> Instant {
        self.since.instant()
    }

    /// CSeq number of the REGISTER that made or refreshed it.
    pub fn cseq(&self) -> u32 {
        self.cseq
    }

    /// Where that REGISTER came from.
    pub fn received(&self) -> Peer {
        let addr = match self.ip.to_ipv4_mapped().filter(|_| self.is_v4) {
            Some(v4) => SocketAddr::new(v4.into(), self.port),
            None => SocketAddrV6::new(self.ip, self.port, 0, self.scope).into(),
        };
        let connection = self.connection.map(|id| ConnectionId(id.get() - 1));
        Peer { transport: self.transport, addr, connection }
    }

    /// User-Agent of that REGISTER; empty without one.
    pub fn user_agent(&self) -> &Arc<str> {
        &self.user_agent
    }

    /// Whether the client is known to be behind a NAT: by datagrams only [`Binding::received`] leads to it.
    pub fn is_nat(&self) -> bool {
        self.is_nat
    }

    pub(super) fn set_user_agent(&mut self, user_agent: Arc<str>) {
        self.user_agent = user_agent;
    }

    /// Higher the later it was made or refreshed; given out by [`Bindings`](super::Bindings).
    pub fn serial(&self) -> u64 {
        self.serial
    }

    pub(super) fn numbered(self, serial: u64) -> Self {
        Self { serial, ..self }
    }

    /// Whether it still counts.
    pub fn is_live(&self, now: Instant) -> bool {
        self.expires > Stamp::of(now)
    }

    /// The time it has left.
    pub fn remaining(&self, now: Instant) -> Duration {
        self.expires_at().saturating_duration_since(now)
    }

    /// Whether it is the one for `contact`, by the rules of RFC 3261 §19.1.4.
    pub fn is_for(&self, contact: &str) -> bool {
        self.contact() == contact || same_uri(self.contact(), contact)
    }
}

impl std::fmt::Debug for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Binding")
            .field("contact", &self.contact())
            .field("call_id", &self.call_id())
            .field("flow", &self.flow())
            .field("path", &self.path().collect::<Vec<_>>())
            .field("q", &self.q)
            .field("cseq", &self.cseq)
            .field("received", &self.received())
            .field("is_nat", &self.is_nat)
            .field("user_agent", &self.user_agent)
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

fn joined(texts: [&str; 3], path: &[&str]) -> Arc<str> {
    let length = texts.iter().map(|text| text.len()).sum::<usize>();
    let mut all = String::with_capacity(length + path.iter().map(|hop| hop.len() + 1).sum::<usize>());
    texts.iter().for_each(|text| all.push_str(text));
    for hop in path {
        all.push(HOP);
        all.push_str(hop);
    }
    all.into()
}

fn same_uri(one: &str, other: &str) -> bool {
    match (Uri::parse(one.as_bytes()), Uri::parse(other.as_bytes())) {
        (Ok(one), Ok(other)) => one.equivalent(&other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chappe_sim::Clock;

    fn check(addr: &str, connection: Option<u64>, path: &[&str], flow: &str) {
        let now = Clock::new().now();
        let received = Peer {
            transport: Transport::Wss,
            addr: addr.parse().unwrap(),
            connection: connection.map(ConnectionId),
        };
        let parts = BindingParts {
            contact: "sip:b@h",
            call_id: "c",
            flow,
            path,
            q: 500,
            expires_at: now + Duration::from_secs(60),
            since: now,
            cseq: 7,
            received,
            user_agent: "phone".into(),
            is_nat: flow.is_empty(),
        };
        let binding = Binding::new(&parts).unwrap();
        assert_eq!(binding.is_nat(), flow.is_empty());
        assert_eq!((binding.contact(), binding.call_id(), binding.flow()), ("sip:b@h", "c", flow));
        assert_eq!(binding.path().collect::<Vec<_>>(), path);
        assert_eq!(binding.received(), received);
        assert_eq!(binding.remaining(now), Duration::from_secs(60));
        let again = Binding::like(&parts, Some(&binding)).unwrap();
        assert!(Arc::ptr_eq(&again.texts, &binding.texts));
        let other = Binding::like(&BindingParts { call_id: "d", ..parts }, Some(&binding)).unwrap();
        assert_eq!((other.contact(), other.call_id(), other.flow()), ("sip:b@h", "d", flow));
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        check("192.0.2.1:5060", None, &[], "");
        check("192.0.2.1:5060", Some(0), &["sip:e1;lr"], "");
        check("[2001:db8::1]:0", Some(u64::MAX - 1), &["sip:e1;lr", "sip:e2;lr"], "1;<urn:uuid:0>");
        check("[::ffff:192.0.2.1]:9", None, &[], "1;<urn:uuid:0>");
        check("[fe80::1%3]:9", None, &[], "");
    }
}
