//! `acl.conf`.

use super::UserCidr;
use super::network::{Entry, List, Network, Ports};
use crate::params::truth;
use crate::{Diagnostics, Document, Element, Location};

type Users<'u> = &'u dyn Fn(&str) -> Option<Vec<UserCidr>>;

pub(super) fn lists(document: &Document, users: Users<'_>, d: &mut Diagnostics) -> Vec<(String, List)> {
    let mut lists: Vec<(String, List)> = Vec::new();
    let Some(configuration) = document.configuration("acl.conf") else { return lists };
    for element in configuration.listed("network-lists", "list") {
        let Some(name) = element.attr("name").filter(|name| !name.is_empty()) else {
            d.warning(&element.at, "a list without a name is not read");
            continue;
        };
        if lists.iter().any(|(known, _)| known == name) {
            d.warning(&element.at, format!("list {name} is there twice: the last counts"));
        }
        lists.push((name.to_owned(), list(name, element, users, d)));
    }
    lists
}

fn list(name: &str, element: &Element, users: Users<'_>, d: &mut Diagnostics) -> List {
    let default = element.attr("default").is_none_or(|word| is_allow(word, &element.at, d));
    let mut entries = Vec::new();
    for node in element.children_named("node") {
        let allow = node.attr("type").map_or(default, |word| is_allow(word, &node.at, d));
        let before = entries.len();
        if let Some(domain) = node.attr("domain") {
            of_domain(domain, node, users, &mut entries, d);
        } else if let Some(cidr) = node.attr("cidr") {
            of_cidr(cidr, None, &node.at, &mut entries, d);
        } else if let (Some(host), Some(mask)) = (node.attr("host"), node.attr("mask")) {
            match Network::from_mask(host, mask) {
                Some(network) => entries.push(entry(network)),
                None => wrong_network(&format!("{host}, mask {mask}"), &node.at, d),
            }
        } else {
            d.error(&node.at, format!("a node of list {name} names no network"))
                .instead("cidr=\"192.0.2.0/24\"");
        }
        let ports = ports(node, d);
        for entry in &mut entries[before..] {
            entry.allow = allow;
            entry.ports = ports.clone();
        }
    }
    List::new(default, entries)
}

fn entry(network: Network) -> Entry {
    Entry { network, allow: true, ports: Ports::Any, user: None }
}

/// FreeSWITCH takes every word that is not true for deny.
fn is_allow(word: &str, at: &Location, d: &mut Diagnostics) -> bool {
    truth(word).unwrap_or_else(|| {
        d.warning(at, format!("`{word}` counts as deny")).instead("allow or deny");
        false
    })
}

fn of_domain(domain: &str, node: &Element, users: Users<'_>, entries: &mut Vec<Entry>, d: &mut Diagnostics) {
    match users(domain) {
        Some(users) => {
            for user in users {
                of_cidr(&user.cidr, Some(&user.user), &user.at, entries, d);
            }
        }
        None => {
            d.warning(&node.at, format!("the directory has no domain {domain}"));
        }
    }
}

fn of_cidr(cidr: &str, user: Option<&str>, at: &Location, entries: &mut Vec<Entry>, d: &mut Diagnostics) {
    for text in cidr.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        match Network::parse(text) {
            Some(network) => entries.push(Entry { user: user.map(Into::into), ..entry(network) }),
            None => wrong_network(text, at, d),
        }
    }
}

fn wrong_network(text: &str, at: &Location, d: &mut Diagnostics) {
    let instead = match text.parse::<std::net::IpAddr>() {
        Ok(address) if address.is_ipv4() => format!("{text}/32"),
        Ok(_) => format!("{text}/128"),
        Err(_) => "a network such as 192.0.2.0/24 or 2001:db8::/32".to_owned(),
    };
    d.error(at, format!("`{text}` is no network")).instead(instead);
}

fn ports(node: &Element, d: &mut Diagnostics) -> Ports {
    let mut number = |text: &str| {
        text.trim().parse::<u16>().unwrap_or_else(|_| {
            d.error(&node.at, format!("`{text}` is no port")).instead("a number from 1 to 65535");
            0
        })
    };
    if let Some(port) = node.attr("port") {
        return Ports::One(number(port));
    }
    if let Some(ports) = node.attr("ports") {
        return Ports::Some(ports.split(',').map(number).collect());
    }
    match (node.attr("port-min"), node.attr("port-max")) {
        (None, None) => Ports::Any,
        (from, to) => Ports::Range(from.map_or(0, &mut number), to.map_or(u16::MAX, &mut number)),
    }
}
