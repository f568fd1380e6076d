//! What access lists say of the address that a request comes from.

use std::net::IpAddr;

use chappe_directory::User;
use chappe_sip_proto::Peer;

use crate::config::ProfileConfig;
use crate::world::View;

/// The verdict of a profile's lists on an address.
#[derive(Clone, Copy)]
pub enum Access<'v, 'c> {
    /// There is no list.
    Unlisted,
    /// A list vouches for it.
    Allowed,
    /// It is this user's: the user's `cidr`, in a list with `<node type="allow" domain="..."/>`.
    Of(&'v User),
    /// By this list.
    Denied(&'c str),
}

/// `apply-inbound-acl`: one list that allows the address is enough.
/// FreeSWITCH sofia.c sofia_handle_sip_i_invite.
pub fn inbound<'v, 'c>(view: &'v View, config: &'c ProfileConfig, peer: Peer) -> Access<'v, 'c> {
    let mut access = Access::Unlisted;
    for list in &config.inbound_acl {
        access = verdict(view, config, list, peer);
        if !matches!(access, Access::Denied(_)) {
            break;
        }
    }
    access
}

/// `apply-register-acl`: one list that denies the address is enough.
/// FreeSWITCH sofia_reg.c sofia_reg_handle_sip_i_register.
pub fn register<'v, 'c>(view: &'v View, config: &'c ProfileConfig, peer: Peer) -> Access<'v, 'c> {
    let mut access = Access::Unlisted;
    for list in &config.register_acl {
        access = verdict(view, config, list, peer);
        if matches!(access, Access::Denied(_)) {
            break;
        }
    }
    access
}

fn verdict<'v, 'c>(view: &'v View, config: &ProfileConfig, list: &'c str, peer: Peer) -> Access<'v, 'c> {
    let port = if config.port_in_acl { peer.addr.port() } else { 0 };
    let verdict = view.acl.verdict(list, ip(peer), port);
    if !verdict.allowed {
        return Access::Denied(list);
    }
    let named = verdict.user.and_then(|user| user.split_once('@'));
    match named.and_then(|(user, domain)| view.directory.user(domain, user)) {
        Some(user) => Access::Of(user),
        None => Access::Allowed,
    }
}

/// Whether the user's own list, its param `auth-acl`, keeps it away from this address.
/// FreeSWITCH sofia_reg.c sofia_reg_parse_auth.
pub fn denies_user<'u>(view: &View, user: &'u User, peer: Peer) -> Option<&'u str> {
    user.auth_acl.as_deref().filter(|list| !view.acl.allows(list, ip(peer)))
}

/// An IPv4 address as one, also on an IPv6 socket.
pub fn ip(peer: Peer) -> IpAddr {
    peer.addr.ip().to_canonical()
}
