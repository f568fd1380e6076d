//! What connections may take.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hashbrown::HashMap;

/// Bounds on a profile's connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    pub all: usize,
    /// Of them, those that one address has opened.
    pub per_source: usize,
    /// How long one may be silent.
    pub idle: Duration,
    /// How long one may be silent whose device was told a Flow-Timer; `None`: none is.
    pub flow: Option<Duration>,
}

/// How long a handshake may take, of TLS and WebSocket together.
pub const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long making a connection may take, its TLS handshake included.
pub const CONNECT: Duration = Duration::from_secs(5);
/// How long a connection may be silent on which no message came yet. RFC 5626 §4.4.1 lets a client wait 120 s between two
/// keep-alives.
pub const STRANGER: Duration = Duration::from_secs(130);
/// How long a message may take from its first octet to its last.
pub const ARRIVAL: Duration = Duration::from_secs(32);
/// How long one write may take.
pub const WRITE: Duration = Duration::from_secs(30);
/// How long the last answers have to leave when a connection is ended from here.
pub const LAST_WORDS: Duration = Duration::from_millis(500);
/// Octets of unfinished messages that all connections of a profile hold together; one that would hold more is closed.
const UNFINISHED: usize = 64 << 20;

/// What one connection holds of an unfinished message.
pub struct Held<'c> {
    total: &'c AtomicUsize,
    own: usize,
}

impl<'c> Held<'c> {
    pub fn new(total: &'c AtomicUsize) -> Self {
        Self { total, own: 0 }
    }

    /// `false`: all connections together hold too much.
    pub fn set(&mut self, octets: usize) -> bool {
        let before = std::mem::replace(&mut self.own, octets);
        let total = self.total.fetch_add(octets, Ordering::Relaxed) + octets;
        self.total.fetch_sub(before, Ordering::Relaxed);
        octets <= before || total - before <= UNFINISHED
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// How many connections each source has.
#[derive(Default)]
pub struct Sources(HashMap<IpAddr, usize>);

impl Sources {
    pub fn count(&self, ip: IpAddr) -> usize {
        self.0.get(&source(ip)).copied().unwrap_or(0)
    }

    pub fn add(&mut self, ip: IpAddr) {
        *self.0.entry(source(ip)).or_default() += 1;
    }

    pub fn remove(&mut self, ip: IpAddr) {
        let source = source(ip);
        if let Some(count) = self.0.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&source);
            }
        }
    }
}

/// What counts as one address: who has one of IPv6 has 2^64 of them.
pub fn source(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_64_bits_is_one_source() {
        let mut sources = Sources::default();
        for ip in ["2001:db8::1", "2001:db8::2:3", "192.0.2.1", "::ffff:192.0.2.1"] {
            sources.add(ip.parse().unwrap());
        }
        let count = |ip: &str| sources.count(ip.parse().unwrap());
        assert_eq!((count("2001:db8::9"), count("192.0.2.1"), count("2001:db8:0:1::1")), (2, 2, 0));
        sources.remove("192.0.2.1".parse().unwrap());
        sources.remove("192.0.2.1".parse().unwrap());
        assert_eq!(sources.0.len(), 1);
    }

    #[test]
    fn connections_hold_so_much_together() {
        let total = AtomicUsize::new(0);
        let (mut one, mut other) = (Held::new(&total), Held::new(&total));
        assert!(one.set(UNFINISHED) && !other.set(1) && one.set(10));
        drop(one);
        assert!(other.set(UNFINISHED));
        drop(other);
        assert_eq!(total.into_inner(), 0);
    }
}
