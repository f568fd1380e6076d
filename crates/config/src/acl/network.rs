//! Networks, and the lists made of them.

use std::net::IpAddr;

/// An address and the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Nothing when the prefix is longer than the address.
    pub fn new(address: IpAddr, bits: u8) -> Option<Network> {
        let network = match address {
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) if bits >= 96 => Network { address: v4.into(), bits: bits - 96 },
                _ => Network { address, bits },
            },
            IpAddr::V4(_) => Network { address, bits },
        };
        (network.bits <= width(network.address)).then_some(network)
    }

    /// `192.0.2.0/24`, `2001:db8::/32`. FreeSWITCH reads `::ffff:192.0.2.0/24` as an IPv4 network.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, bits) = text.trim().split_once('/')?;
        let bits: u8 = bits.trim().parse().ok()?;
        let address: IpAddr = address.trim().trim_start_matches('[').trim_end_matches(']').parse().ok()?;
        match address {
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) if bits <= 32 => Network::new(v4.into(), bits),
                _ => Network::new(address, bits),
            },
            IpAddr::V4(_) => Network::new(address, bits),
        }
    }

    /// `host` and `mask` of an acl.conf node. FreeSWITCH takes only IPv4 here, and any mask; this takes those that are
    /// the mask of a prefix, in either family.
    pub fn from_mask(host: &str, mask: &str) -> Option<Network> {
        let (address, mask): (IpAddr, IpAddr) = (host.trim().parse().ok()?, mask.trim().parse().ok()?);
        if address.is_ipv4() != mask.is_ipv4() {
            return None;
        }
        let ones = number(mask).leading_ones() as u8;
        let is_prefix = number(mask).checked_shl(u32::from(ones)).unwrap_or(0) == 0;
        is_prefix.then_some(())?;
        Network::new(address, ones)
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        if self.address.is_ipv4() != address.is_ipv4() {
            return false;
        }
        let shift = 128 - u32::from(self.bits);
        let differing = number(self.address) ^ number(address);
        differing.checked_shr(shift).unwrap_or(0) == 0
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address in the upper bits of a number.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)) << 96,
        IpAddr::V6(v6) => u128::from(v6),
    }
}

/// An IPv4 address in IPv6 clothes is an IPv4 address.
pub(super) fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// The ports that an entry is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Ports {
    #[default]
    Any,
    One(u16),
    Some(Vec<u16>),
    Range(u16, u16),
}

impl Ports {
    /// Port 0 stands for one that nobody knows.
    fn contains(&self, port: u16) -> bool {
        port == 0
            || match self {
                Ports::Any => true,
                Ports::One(one) => *one == port,
                Ports::Some(some) => some.contains(&port),
                Ports::Range(from, to) => (*from..=*to).contains(&port),
            }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub network: Network,
    pub allow: bool,
    pub ports: Ports,
    pub user: Option<Box<str>>,
}

/// A list: of the entries that hold an address the one with the longest prefix decides, of equals the first written
/// (FreeSWITCH switch_network_list_validate_ip_port_token).
#[derive(Clone, Debug)]
pub(super) struct List {
    default: bool,
    /// Longest prefix first.
    entries: Vec<Entry>,
}

impl List {
    pub fn new(default: bool, mut entries: Vec<Entry>) -> List {
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.network.bits));
        List { default, entries }
    }

    pub fn verdict(&self, address: IpAddr, port: u16) -> super::Verdict<'_> {
        let address = plain(address);
        let entry =
            self.entries.iter().find(|entry| entry.network.contains(address) && entry.ports.contains(port));
        match entry {
            Some(entry) => super::Verdict { allowed: entry.allow, user: entry.user.as_deref() },
            None => super::Verdict { allowed: self.default, user: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let cases = [
            ("192.168.42.0/24", "192.168.42.7", true),
            ("192.168.42.0/24", "192.168.43.7", false),
            ("192.168.42.99/24", "192.168.42.7", true),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("10.0.0.1/32", "10.0.0.1", true),
            ("10.0.0.1/32", "10.0.0.2", false),
            ("fe80::/10", "fe80::1", true),
            ("::/0", "2001:db8::1", true),
            ("::/0", "1.2.3.4", false),
            ("2001:db8::/33", "2001:db8:8000::1", false),
            ("::ffff:10.0.0.0/8", "10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
        ];
        for (network, address, expected) in cases {
            let parsed = Network::parse(network).unwrap();
            assert_eq!(parsed.contains(address.parse().unwrap()), expected, "{network} {address}");
        }
        for wrong in ["192.168.42.0", "192.168.42.0/33", "x/8", "::1/129", "1.2.3.4/-1", "1.2.3.4/", ""] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn masks() {
        assert_eq!(Network::from_mask("10.1.0.0", "255.255.0.0"), Network::parse("10.1.0.0/16"));
        assert_eq!(Network::from_mask("10.1.0.0", "0.0.0.0"), Network::parse("10.1.0.0/0"));
        assert_eq!(Network::from_mask("10.1.0.0", "255.255.255.255"), Network::parse("10.1.0.0/32"));
        assert_eq!(Network::from_mask("10.1.0.0", "255.0.255.0"), None);
        assert_eq!(Network::from_mask("10.1.0.0", "16"), None);
    }
}
