//! What access lists say of the address that a request comes from.

use std::net::{IpAddr, SocketAddr};

use chappe_directory::User;
use chappe_sip_proto::Peer;

use crate::config::ProfileConfig;
use crate::inbound::Request;
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

/// `apply-inbound-acl` on an address: one list that allows it is enough.
/// FreeSWITCH sofia.c sofia_handle_sip_i_invite.
pub fn inbound<'v, 'c>(view: &'v View, config: &'c ProfileConfig, addr: SocketAddr) -> Access<'v, 'c> {
    let mut access = Access::Unlisted;
    for list in &config.inbound_acl {
        access = verdict(view, config, list, addr);
        if !matches!(access, Access::Denied(_)) {
            break;
        }
    }
    access
}

/// The same on a request: where the lists deny the address of a proxy, the one that the proxy names counts.
/// FreeSWITCH sofia.c sofia_handle_sip_i_invite.
pub fn of_request<'v, 'c>(
    view: &'v View,
    config: &'c ProfileConfig,
    request: &Request<'_, '_>,
) -> Access<'v, 'c> {
    let access = inbound(view, config, request.peer.addr);
    match access {
        Access::Denied(_) => {
            behind_proxy(view, config, request).map_or(access, |addr| inbound(view, config, addr))
        }
        _ => access,
    }
}

/// Whether many senders come through this address: `apply-proxy-acl`.
pub fn is_proxy(view: &View, config: &ProfileConfig, addr: SocketAddr) -> bool {
    config.proxy_acl.iter().any(|list| !matches!(verdict(view, config, list, addr), Access::Denied(_)))
}

/// The address that a proxy of `apply-proxy-acl` saw a request come from: X-AUTH-IP, and X-AUTH-PORT where lists look at ports.
/// With more than one X-AUTH-IP nobody knows which is the proxy's.
fn behind_proxy(view: &View, config: &ProfileConfig, request: &Request<'_, '_>) -> Option<SocketAddr> {
    if !is_proxy(view, config, request.peer.addr) {
        return None;
    }
    let only = |name| {
        let mut values = request.message.named(name);
        let value = std::str::from_utf8(values.next()?).ok()?;
        values.next().is_none().then_some(value.trim())
    };
    let ip = only("X-AUTH-IP")?.trim_matches(['[', ']']).parse().ok()?;
    let port = only("X-AUTH-PORT").and_then(|port| port.parse().ok()).unwrap_or_default();
    Some(SocketAddr::new(ip, port))
}

/// The address that counts as the sender's: the one that a proxy names, else where the request came from.
pub fn origin(view: &View, config: &ProfileConfig, request: &Request<'_, '_>) -> IpAddr {
    behind_proxy(view, config, request).map_or_else(|| ip(request.peer), |addr| addr.ip().to_canonical())
}

/// `apply-register-acl`: one list that denies the address is enough.
/// FreeSWITCH sofia_reg.c sofia_reg_handle_sip_i_register.
pub fn register<'v, 'c>(view: &'v View, config: &'c ProfileConfig, peer: Peer) -> Access<'v, 'c> {
    let mut access = Access::Unlisted;
    for list in &config.register_acl {
        access = verdict(view, config, list, peer.addr);
        if matches!(access, Access::Denied(_)) {
            break;
        }
    }
    access
}

fn verdict<'v, 'c>(
    view: &'v View,
    config: &ProfileConfig,
    list: &'c str,
    addr: SocketAddr,
) -> Access<'v, 'c> {
    let port = if config.port_in_acl { addr.port() } else { 0 };
    let verdict = view.acl.verdict(list, addr.ip().to_canonical(), port);
    if !verdict.allowed {
        return Access::Denied(list);
    }
    let named = verdict.user.and_then(|user| user.split_once('@'));
    match named.and_then(|(user, domain)| view.directory.user(domain, user)) {
        Some(user) => Access::Of(user),
        None => Access::Allowed,
    }
}

/// Whether the user's own list, its param `auth-acl`, keeps it away from where the request came from; through a proxy the address
/// that the proxy names counts as well.
/// FreeSWITCH sofia_reg.c sofia_reg_parse_auth.
pub fn denies_user<'u>(
    view: &View,
    config: &ProfileConfig,
    user: &'u User,
    request: &Request<'_, '_>,
) -> Option<&'u str> {
    let allows = |list: &&str, ip| view.acl.allows(list, ip);
    let list = user.auth_acl.as_deref().filter(|list| !allows(list, ip(request.peer)))?;
    let is_allowed = || allows(&list, origin(view, config, request));
    (!is_allowed()).then_some(list)
}

/// An IPv4 address as one, also on an IPv6 socket.
pub fn ip(peer: Peer) -> IpAddr {
    peer.addr.ip().to_canonical()
}
