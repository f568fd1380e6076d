//! Access control lists: `acl.conf` and FreeSWITCH's built-in lists.

mod built_in;
mod network;
mod read;

use std::collections::HashMap;
use std::net::IpAddr;

use self::network::{List, Network, plain};
use crate::{Diagnostics, Document, Location};

/// A user of a domain whose `cidr` belongs to a list's `<node domain="..."/>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCidr {
    /// `id@domain`.
    pub user: String,
    /// One or several, comma separated.
    pub cidr: String,
    pub at: Location,
}

/// The machine's own network, which `localnet.auto` and `nat.auto` are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalNet {
    pub address: IpAddr,
    /// Length of the network's prefix in bits.
    pub bits: u8,
}

/// What a list says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict<'l> {
    pub allowed: bool,
    /// `id@domain` when the entry that decided came from a user of the directory.
    pub user: Option<&'l str>,
}

/// All lists by name. Names are compared as they are written.
#[derive(Clone, Debug, Default)]
pub struct AclLists {
    lists: HashMap<String, List>,
}

impl AclLists {
    /// The built-in lists and those of `acl.conf`, which replace a built-in one of their name. `users` gives the cidrs
    /// of a domain's users, nothing when there is no such domain.
    pub fn compile(
        document: &Document,
        local: Option<LocalNet>,
        users: &dyn Fn(&str) -> Option<Vec<UserCidr>>,
        d: &mut Diagnostics,
    ) -> AclLists {
        let mut lists: HashMap<String, List> =
            built_in::lists(local).map(|(name, list)| (name.to_owned(), list)).collect();
        lists.extend(read::lists(document, users, d));
        AclLists { lists }
    }

    /// Whether a list lets an address in. A name with a slash is a network, or several with commas between; a list that
    /// does not exist lets nobody in.
    pub fn allows(&self, list: &str, ip: IpAddr) -> bool {
        self.verdict(list, ip, 0).allowed
    }

    /// As [`AclLists::allows`], with the port the packet came from (0: any) and the user it belongs to.
    pub fn verdict(&self, list: &str, ip: IpAddr, port: u16) -> Verdict<'_> {
        match self.lists.get(list) {
            Some(list) => list.verdict(ip, port),
            None => {
                Verdict { allowed: networks(list).any(|network| network.contains(plain(ip))), user: None }
            }
        }
    }

    /// Whether there is such a list; networks, if all of them can be read, count as one.
    pub fn contains(&self, list: &str) -> bool {
        self.lists.contains_key(list) || list.split(',').all(|text| Network::parse(text).is_some())
    }

    /// The lists' names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.lists.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

fn networks(list: &str) -> impl Iterator<Item = Network> {
    list.split(',').filter_map(Network::parse)
}
