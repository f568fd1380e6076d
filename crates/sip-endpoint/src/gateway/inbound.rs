//! Messages that a gateway sends us.

use std::sync::Arc;

use chappe_event::{Event, header};
use chappe_sip_msg::Uri;
use chappe_sip_proto::Transport;

use super::words::AUTO_TO_USER;
use super::{Gateway, registration::State};
use crate::inbound::Request;
use crate::profile::{Profile, Settings};
use crate::world::View;

/// The gateway that sent the request, if one did; it needs no password then.
///
/// That is one that a request comes from the very address of, or from its machine when the request is for the contact that
/// it was given. A gateway that should be registered and is not sends nothing; one that is registered by TLS sends by TLS, whose
/// source address nobody makes up.
pub fn sender_of(profile: &Profile, request: &Request<'_, '_>) -> Option<Arc<Gateway>> {
    let all = profile.gateways.all();
    if all.is_empty() {
        return None;
    }
    let (addr, uri) = (request.peer.addr, request.message.uri().ok());
    let is_sender = |gateway: &&Arc<Gateway>| {
        let named = uri.as_ref().is_some_and(|uri| is_contact(gateway, uri));
        let there = gateway.is_at(addr) || named && gateway.is_at_ip(addr.ip());
        let transport = !gateway.config.is_by_tls() || request.peer.transport == Transport::Tls;
        there && transport && !gateway.is_deleted() && may_send(gateway)
    };
    let named = |gateway: &&Arc<Gateway>| uri.as_ref().is_some_and(|uri| is_contact(gateway, uri));
    // Two gateways may have one address: the contact tells them apart.
    all.iter().filter(named).find(is_sender).or_else(|| all.iter().find(is_sender)).cloned()
}

fn may_send(gateway: &Gateway) -> bool {
    let registration = gateway.registration();
    registration.state() == State::NoReg || registration.is_bound()
}

/// Whether it is the contact that the gateway was given: FreeSWITCH sofia.c sofia_handle_sip_i_invite.
fn is_contact(gateway: &Gateway, uri: &Uri<'_>) -> bool {
    let name = gateway.config.name.as_bytes();
    uri.param("gw") == Some(name)
        || uri.user.is_some_and(|user| user.strip_prefix(b"gw+".as_slice()) == Some(name))
}

/// What an event of a gateway's says besides: which gateway, whom it is for, the variables of the configuration.
pub fn mark(
    event: &mut Event,
    gateway: &Gateway,
    request: &Request<'_, '_>,
    settings: &Settings,
    view: &View,
) {
    let uri = request.message.uri().ok();
    let named = uri.is_some_and(|uri| is_contact(gateway, &uri));
    let config = &gateway.config;
    let extension = match config.extension.as_deref() {
        Some(extension) if extension.eq_ignore_ascii_case(AUTO_TO_USER) => None,
        Some(extension) => Some(extension),
        // Who wrote to the contact wrote to the account.
        None => Some(config.username.as_str()).filter(|_| config.register),
    };
    let to_user = event.get(header::TO_USER).unwrap_or_default().to_owned();
    let user = extension.filter(|_| named).map_or(to_user, str::to_owned);
    let to = if user.contains('@') { user } else { format!("{user}@{}", domain(settings, view)) };
    event.set(header::TO, to);
    event.set(super::route::SIP_GATEWAY, config.name.as_str());
    event.set(super::route::FROM_GATEWAY, config.name.as_str());
    for variable in config.variables.iter().filter(|variable| variable.inbound) {
        event.set(chappe_event::Name::copied(&variable.name), variable.value.as_str());
    }
}

/// The domain of users whom a gateway names without one: the profile's, where the directory has it, else the first.
fn domain<'v>(settings: &'v Settings, view: &'v View) -> &'v str {
    let own = &settings.domain;
    if view.directory.domain(own).is_some() {
        return own;
    }
    view.directory.domains().next().map_or(own, |first| &first.name)
}
