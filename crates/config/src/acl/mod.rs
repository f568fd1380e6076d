//! Access control lists: `acl.conf` and FreeSWITCH's built-in lists.

use std::net::IpAddr;

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

/// All lists by name.
#[derive(Clone, Debug, Default)]
pub struct AclLists {}

impl AclLists {
    /// The built-in lists and those of `acl.conf`. `users` gives the cidrs of a domain's users, nothing when there is
    /// no such domain.
    pub fn compile(
        _document: &Document,
        _local: Option<LocalNet>,
        _users: &dyn Fn(&str) -> Option<Vec<UserCidr>>,
        _d: &mut Diagnostics,
    ) -> AclLists {
        todo!()
    }

    /// Whether a list lets an address in. A name with a slash is a network, or several with commas between; a list that
    /// does not exist lets nobody in.
    pub fn allows(&self, list: &str, ip: IpAddr) -> bool {
        self.verdict(list, ip, 0).allowed
    }

    /// As [`AclLists::allows`], with the port the packet came from (0: any) and the user it belongs to.
    pub fn verdict(&self, _list: &str, _ip: IpAddr, _port: u16) -> Verdict<'_> {
        todo!()
    }

    /// Whether there is such a list (a network counts as one).
    pub fn contains(&self, _list: &str) -> bool {
        todo!()
    }

    /// The lists' names, sorted.
    pub fn names(&self) -> Vec<&str> {
        todo!()
    }
}
