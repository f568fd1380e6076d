//! The lists that are there without acl.conf (FreeSWITCH switch_core.c switch_load_network_lists).

use super::LocalNet;
use super::network::{Entry, List, Network, Ports};

struct Row {
    name: &'static str,
    default: bool,
    allow: &'static [&'static str],
    deny: &'static [&'static str],
    /// What the machine's own network is in the list.
    local: Option<bool>,
}

const PRIVATE: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];
const NOT_WAN: [&str; 7] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "fe80::/10",
];
const NOT_WAN_V4: [&str; 7] =
    ["0.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "::/0"];

const fn row(
    name: &'static str,
    default: bool,
    allow: &'static [&'static str],
    deny: &'static [&'static str],
) -> Row {
    Row { name, default, allow, deny, local: None }
}

const ROWS: [Row; 12] = [
    row("rfc6598.auto", false, &["100.64.0.0/10"], &[]),
    row("rfc1918.auto", false, &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fe80::/10"], &[]),
    row("wan.auto", true, &[], &NOT_WAN),
    row("wan_v4.auto", true, &[], &NOT_WAN_V4),
    row("wan_v6.auto", true, &[], &["0.0.0.0/0", "fe80::/10"]),
    row("any_v4.auto", true, &[], &["::/0"]),
    row("any_v6.auto", true, &[], &["0.0.0.0/0"]),
    Row { local: Some(false), ..row("nat.auto", false, &PRIVATE, &[]) },
    row("loopback.auto", false, &["127.0.0.0/8", "::1/128"], &[]),
    Row { local: Some(true), ..row("localnet.auto", false, &[], &[]) },
    row("none", false, &[], &[]),
    row("all", true, &[], &[]),
];

pub(super) fn lists(local: Option<LocalNet>) -> impl Iterator<Item = (&'static str, List)> {
    ROWS.iter().map(move |row| (row.name, list(row, local)))
}

fn list(row: &Row, local: Option<LocalNet>) -> List {
    let mut entries = Vec::new();
    if let (Some(allow), Some(local)) = (row.local, local) {
        entries.extend(Network::new(local.address, local.bits).map(|network| entry(network, allow)));
    }
    for (networks, allow) in [(row.allow, true), (row.deny, false)] {
        entries.extend(
            networks.iter().filter_map(|text| Network::parse(text)).map(|network| entry(network, allow)),
        );
    }
    List::new(row.default, entries)
}

fn entry(network: Network, allow: bool) -> Entry {
    Entry { network, allow, ports: Ports::Any, user: None }
}
