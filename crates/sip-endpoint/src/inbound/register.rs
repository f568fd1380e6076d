//! REGISTER, RFC 3261 §10.3.

use std::borrow::Cow;
use std::sync::Arc;

use chappe_sip_msg::{HeaderName, Scheme, Uri};
use chappe_sip_proto::registrar::{
    Aor, Applied, Binding, Contacts, Multiple as Others, Policy, Register, RegisterError,
};
use chappe_sip_proto::{Response, Transport};

use super::refuse::{answer, with, with_reason};
use super::registrant::Registrant;
use super::{Refusal, Request};
use crate::auth::{self, Sender};
use crate::config::{Multiple, ProfileConfig, PushConfig};
use crate::nat;
use crate::notices;
use crate::profile::Settings;
use crate::push::{Asked, masked};
use crate::shard::Shard;
use crate::world::{View, World};

const DAY: u32 = 86_400;
/// Seconds after which a device that found no room may ask again.
const RETRY_AFTER: &str = "60";

pub fn handle(shard: &mut Shard, settings: &Settings, request: &Request<'_, '_>) -> Response {
    if !settings.config.registers {
        return answer(403);
    }
    let world = shard.world.clone();
    let view = world.view();
    let sender = match auth::register(shard, settings, &view, request) {
        Ok(sender) => sender,
        Err(challenge) => return *challenge,
    };
    let aor = match whose(request, &sender, &settings.config, &view) {
        Ok(aor) => aor,
        Err(refusal) => return *refusal,
    };
    let registrant = Registrant::of(request, &sender, &view, &aor);
    if registrant.is_forbidden(request, &settings.config) {
        return answer(403);
    }
    let most = registrant.most_bindings(&settings.config);
    let is_nat = nat::is_behind(&shard.profile, &view, request, sender.user);
    match apply(shard, &settings.config, request, &aor, most, is_nat) {
        Ok(applied) => {
            announce(shard, &aor, &applied);
            if settings.config.push.is_some() {
                note_refreshes(shard, &aor, &applied);
            }
            if !(applied.added.is_empty() && applied.refreshed.is_empty()) {
                came(&world, &aor, !applied.added.is_empty());
            }
            granted(shard, &settings.config, request, &applied)
        }
        Err(Failed::Register(error)) => refused(error),
        // RFC 5626 §6.
        Err(Failed::FirstHop) => with_reason(439, "First Hop Lacks Outbound Support"),
        // RFC 8599 §5.6.1.
        Err(Failed::PushService) => with_reason(555, "Push Notification Service Not Supported"),
    }
}

/// Why nothing was done.
enum Failed {
    Register(RegisterError),
    /// A device is woken by somebody who is not known here.
    PushService,
    /// A device wants flows, and the proxy that it speaks to keeps none.
    FirstHop,
}

impl From<RegisterError> for Failed {
    fn from(error: RegisterError) -> Self {
        Self::Register(error)
    }
}

fn note_refreshes(shard: &Shard, aor: &Aor, applied: &Applied) {
    let made = applied.added.iter().chain(&applied.refreshed);
    let made: Vec<_> = made.map(|binding| (aor.clone(), binding.clone())).collect();
    shard.profile.note_refreshes(&made);
}

/// The address-of-record that is registered; it must be the sender's own, RFC 3261 §10.3 steps 3 and 5.
fn whose(
    request: &Request<'_, '_>,
    sender: &Sender<'_>,
    config: &ProfileConfig,
    view: &View,
) -> Result<Aor, Refusal> {
    let to = request.message.to().map_err(|_| Refusal::new(answer(400)))?;
    // RFC 4475 §3.3.4: an address-of-record is a SIP or SIPS URI.
    if !matches!(to.uri.scheme, Scheme::Sip | Scheme::Sips) {
        return Err(with_reason(400, "To is no SIP address").into());
    }
    let user = to.uri.user_unescaped().ok_or_else(|| Refusal::new(answer(404)))?;
    let user = String::from_utf8_lossy(&user);
    let host = String::from_utf8_lossy(to.uri.host);
    let domain = config.register_domain(&host);
    if let Some(known) = sender.user.filter(|_| config.match_username)
        && !(auth::is_user(known, &user) && known.domain.eq_ignore_ascii_case(domain))
    {
        return Err(answer(403).into());
    }
    Ok(registered_as(config, &user, &host, |domain| request.user(view, domain, &user).map(|user| &*user.id)))
}

/// The address-of-record under which a user of this host is registered; `known` finds its id in the directory's domain.
pub fn registered_as<'v>(
    config: &ProfileConfig,
    user: &str,
    host: &str,
    known: impl FnOnce(&str) -> Option<&'v str>,
) -> Aor {
    // A user has one address-of-record, whichever of its names is used.
    let id = known(config.register_domain(host)).unwrap_or(user);
    Aor::of(id, config.db_domain(host))
}

fn apply(
    shard: &Shard,
    config: &ProfileConfig,
    request: &Request<'_, '_>,
    aor: &Aor,
    max_bindings: usize,
    is_nat: bool,
) -> Result<Applied, Failed> {
    let mut register = Register { is_nat, ..Register::read(request.message, request.peer)? };
    if let (Some(push), Contacts::These(these)) = (&config.push, &register.contacts)
        && these.iter().any(|wanted| is_beyond(push, &wanted.uri))
    {
        return Err(Failed::PushService);
    }
    if register.has_flows() && !first_hop_keeps_flows(request, &register) {
        if supports(request, b"outbound") {
            return Err(Failed::FirstHop);
        }
        register.forget_flows();
    }
    raise(&mut register, config.force_expires_min);
    let registrar = &shard.profile.registrar;
    let full = registrar.len() >= config.max_bindings;
    Ok(registrar.apply(request.now, aor, &register, &Policy { full, ..policy(config, max_bindings) })?)
}

/// RFC 5626 §6: we are the first hop ourselves, or it says `ob` in its Path, the last one.
fn first_hop_keeps_flows(request: &Request<'_, '_>, register: &Register<'_>) -> bool {
    let says_ob = |hop: &str| Uri::parse(hop.as_bytes()).is_ok_and(|uri| uri.params.has("ob"));
    request.message.vias().count() == 1 || register.path.last().is_some_and(|hop| says_ob(hop))
}

fn supports(request: &Request<'_, '_>, extension: &[u8]) -> bool {
    request.message.values(HeaderName::Supported).any(|tag| tag.eq_ignore_ascii_case(extension))
}

/// Whether the contact's device is woken by somebody who is not known here.
fn is_beyond(push: &PushConfig, contact: &str) -> bool {
    matches!(Asked::of(contact), Asked::Device(device) if !push.has(device.provider))
}

/// `sip-force-expires-min`: whoever asks for less gets this; 0 still removes.
fn raise(register: &mut Register<'_>, least: u32) {
    let raised = |seconds: u32| if seconds == 0 { 0 } else { seconds.max(least) };
    register.expires = register.expires.map(raised);
    if let Contacts::These(these) = &mut register.contacts {
        for wanted in these {
            wanted.expires = wanted.expires.map(raised);
        }
    }
}

fn policy(config: &ProfileConfig, max_bindings: usize) -> Policy {
    let or = |value: u32, default: u32| if value == 0 { default } else { value };
    Policy {
        min: config.min_expires,
        max: or(config.force_expires_max, DAY),
        default: 3600,
        forced: (config.force_expires > 0).then_some(config.force_expires),
        full: false,
        max_bindings,
        multiple: match config.multiple {
            Multiple::No => Others::No,
            Multiple::ByContact => Others::ByContact,
            Multiple::ByCallId => Others::ByCallId,
        },
    }
}

/// Tells the queue that a device of this address-of-record can be reached; `fresh`: one that was not there before.
pub fn came(world: &World, aor: &Aor, fresh: bool) {
    world.deps.router.queue().came(aor.as_str(), fresh);
}

fn announce(shard: &Shard, aor: &Aor, applied: &Applied) {
    let tell = |subclass, bindings: &[Arc<Binding>]| {
        for binding in bindings {
            notices::changed(&shard.world, &shard.profile, subclass, aor, binding);
        }
    };
    tell(notices::REGISTER, &applied.added);
    tell(notices::REGISTER, &applied.refreshed);
    tell(notices::UNREGISTER, &applied.removed);
}

/// RFC 3261 §10.3 step 8: every binding of the user, with the time it has left. RFC 3327 §5.3: and the Path, for a device
/// that says it knows what that is. One that does not is registered all the same: the path was put there by its proxy.
fn granted(shard: &Shard, config: &ProfileConfig, request: &Request<'_, '_>, applied: &Applied) -> Response {
    let (mut response, mut has_flow) = (answer(200), false);
    for binding in &applied.bindings {
        // Rounded up: what was just granted in full must not look shorter.
        let left = binding.remaining(request.now).as_millis().div_ceil(1000);
        let q = match binding.q() {
            1000.. => String::new(),
            q => format!(";q={}.{:03}", q / 1000, q % 1000),
        };
        let is_own = applied.added.iter().chain(&applied.refreshed).any(|own| Arc::ptr_eq(own, binding));
        let contact = if is_own { Cow::Borrowed(binding.contact()) } else { masked(binding.contact()) };
        let flow = match binding.flow().split_once(';') {
            Some((reg_id, instance)) => format!(";+sip.instance=\"{instance}\";reg-id={reg_id}"),
            None => String::new(),
        };
        has_flow |= is_own && !flow.is_empty();
        let tells_received = is_own && binding.is_nat() && config.nat.tells_received;
        // Deviation: FreeSWITCH writes it into the URI, which is not the one then that the device registered.
        let received = match tells_received {
            true => format!(";received=\"{}\"", binding.received().addr),
            false => String::new(),
        };
        response = with(response, "Contact", format!("<{contact}>{q};expires={left}{flow}{received}"));
    }
    // RFC 5626 §6; RFC 3261 §8.2.4: only to a device that says it knows what that is.
    if has_flow && supports(request, b"outbound") {
        response = with(response, "Require", "outbound");
        if let Some(seconds) = flow_timer(config, request) {
            shard.profile.connections().make_flow(&request.peer);
            response = with(response, "Flow-Timer", seconds.to_string());
        }
    }
    for value in config.push.iter().flat_map(|push| feature_caps(push, request)) {
        response = with(response, "Feature-Caps", value);
    }
    if let Ok(now) = jiff::Timestamp::from_second(shard.world.unix_seconds()) {
        response = with(response, "Date", now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
    let knows_path = supports(request, b"path");
    for path in request.message.all(HeaderName::Path).filter(|_| knows_path) {
        response = with(response, "Path", String::from_utf8_lossy(path).into_owned());
    }
    response
}

/// RFC 5626 §4.4 and §5.4: the seconds within which the device has to send something by its connection, so that both sides see when
/// it is dead. Datagrams have no connection, and a page in a browser can send nothing that keeps a WebSocket alive; behind a proxy
/// the connection is the proxy's.
fn flow_timer(config: &ProfileConfig, request: &Request<'_, '_>) -> Option<u32> {
    let keeps = matches!(request.peer.transport, Transport::Tcp | Transport::Tls)
        && request.message.vias().count() == 1;
    config.flow_timer.filter(|_| keeps)
}

/// RFC 8599 §5.6.1: the provider that the device named, or all where it asks; and that it is woken to refresh, if it says
/// that it wants to be.
fn feature_caps(push: &PushConfig, request: &Request<'_, '_>) -> Vec<String> {
    let mut values = Vec::new();
    for contact in request.message.contacts().flatten() {
        let Some(address) = contact.address() else { continue };
        let uri = String::from_utf8_lossy(address.uri.text());
        let wants_refresh = !push.refresh_before.is_zero() && address.params.has("+sip.pnsreg");
        let refresh = match wants_refresh {
            true => format!(";+sip.pnsreg=\"{}\"", push.refresh_before.as_secs()),
            false => String::new(),
        };
        let value = |provider: &str| format!("*;+sip.pns=\"{provider}\"{refresh}");
        match Asked::of(&uri) {
            Asked::Nothing => {}
            Asked::Providers => values.extend(push.providers.iter().map(|provider| value(provider))),
            Asked::Device(device) => values.push(value(device.provider)),
        }
    }
    values
}

fn refused(error: RegisterError) -> Response {
    let response = answer(error.status());
    match error {
        RegisterError::TooBrief { min } => with(response, "Min-Expires", min.to_string()),
        RegisterError::Full => with(response, "Retry-After", RETRY_AFTER),
        _ => response,
    }
}
