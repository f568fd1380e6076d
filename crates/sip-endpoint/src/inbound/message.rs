//! MESSAGE, RFC 3428: from the request to the router, and the router's verdict back.

use std::sync::atomic::Ordering;

use chappe_chat::{Before, MessageName, Quirks, Routed, Verdict};
use chappe_directory::User;
use chappe_event::{Event, EventName, header};
use chappe_sip_msg::{HeaderName, Message, NameAddr};
use chappe_sip_proto::Response;

use super::refuse::{self, answer, overloaded, with};
use super::{Refusal, Request, encoding, event, identity, preloaded};
use crate::auth::{self, Sender};
use crate::gateway;
use crate::guard;
use crate::profile::Settings;
use crate::shard::{Shard, Waiting};
use crate::world::View;

/// The header by which senders name their messages, and we name ours.
const MESSAGE_ID: &str = "Message-ID";

/// `None`: the flow answers.
pub fn handle(shard: &mut Shard, settings: &Settings, request: &Request<'_, '_>) -> Option<Response> {
    let quirks = shard.world.deps.router.quirks();
    let event = match take(shard, settings, request, quirks) {
        Ok(Some(event)) => event,
        Ok(None) => return Some(accepted(settings, quirks.accept_always)),
        Err(refusal) => return Some(*refusal),
    };
    if shard.flows_are_full() {
        return Some(overloaded(1));
    }
    let router = shard.world.deps.router.clone();
    if quirks.accept_always {
        shard.respond(request.now, request.server, accepted(settings, true));
        let flow = Box::pin(async move { Routed::Done(router.route(event).await) });
        shard.start(flow, Waiting::Nobody);
        return None;
    }
    if named(request.message).is_some() {
        return once(shard, settings, request, event);
    }
    if router.queue().remembers(event.get(header::MESSAGE_ID).unwrap_or_default()) {
        return Some(accepted(settings, false));
    }
    let flow = Box::pin(router.route_for_sender(event));
    shard.start(flow, Waiting::Sender(request.server));
    None
}

/// The name that the sender gave its message.
fn named<'m>(message: &Message<'m>) -> Option<&'m [u8]> {
    message.named(MESSAGE_ID).next().filter(|name| !name.is_empty())
}

/// A message that its sender sends again under its own Message-ID is answered as it was, and not delivered again.
fn once(shard: &mut Shard, settings: &Settings, request: &Request<'_, '_>, event: Event) -> Option<Response> {
    let router = shard.world.deps.router.clone();
    let name = event.get(header::MESSAGE_ID).unwrap_or_default().to_owned();
    match router.queue().look(&name) {
        Before::Taken => return Some(accepted(settings, false)),
        Before::UnderWay => return Some(overloaded(1)),
        Before::Never => {}
    }
    let flow = Box::pin(async move {
        let routed = router.route_for_sender(event).await;
        let (Routed::Done(verdict) | Routed::TakenOver(verdict, _)) = &routed;
        router.queue().seen(&name, (200..300).contains(&verdict.code));
        routed
    });
    shard.start(flow, Waiting::Sender(request.server));
    None
}

/// What the message is called from here on. The same request has the same name, also after a restart of ours; so has another
/// one of the same sender that names itself alike.
fn name(message: &Message<'_>, from: &str) -> MessageName {
    if let Some(named) = named(message) {
        return MessageName::of(&[b"Message-ID", from.as_bytes(), named]);
    }
    let header = |name| message.first(name).unwrap_or_default();
    let branch = message.via().ok().and_then(|via| via.branch).unwrap_or_default();
    MessageName::of(&[
        b"request",
        from.as_bytes(),
        header(HeaderName::CallId),
        header(HeaderName::CSeq),
        branch,
    ])
}

/// The message as an event, `Ok(None)` when it is to be accepted and dropped.
fn take(
    shard: &mut Shard,
    settings: &Settings,
    request: &Request<'_, '_>,
    quirks: Quirks,
) -> Result<Option<Event>, Refusal> {
    let message = request.message;
    refuse::content(message)?;
    if message.bytes().len() > settings.config.max_message_size {
        return Err(answer(413).into());
    }
    let view = shard.world.view();
    let sender = auth::message(shard, settings, &view, request)?;
    guard::message(shard, settings, request, &sender)?;
    refuse_own(message, &shard.world.deps.identity.core_uuid, quirks.accept_always)?;
    let (Ok(from), Ok(to)) = (message.from(), message.to()) else { return Err(answer(400).into()) };
    if !quirks.unchecked_from && settings.config.match_sender {
        check_from(request, &sender, &from, settings, &view)
            .inspect_err(|_| tell_of_from(shard, request, &sender))?;
    }
    let composing = is_composing(message);
    if to.uri.user.is_none() && !quirks.accept_always {
        return Err(answer(404).into());
    }
    if to.uri.user.is_none() || composing && quirks.swallow_composing {
        return Ok(None);
    }
    let about = event::About {
        login: &settings.login,
        profile: &shard.profile.name,
        context: match &sender.gateway {
            Some(gateway) => &gateway.config.context,
            None => sender.user.and_then(User::context).unwrap_or(&settings.config.context),
        },
        source: request.peer,
        bare_type: quirks.bare_type,
        // RFC 3325 §5: the trust domain is who was made part of it, and not who merely was asked for no password.
        // FreeSWITCH tells a chatplan of nobody's: its parser knows the header, and only unknown ones get into the event.
        asserted: sender.trusted || sender.gateway.is_some(),
    };
    let mut event = event::event(message, &from, &to, &about);
    if let Some(user) = sender.user {
        identity::assert_preferred(&mut event, message, user);
    }
    if let Some(gateway) = &sender.gateway {
        gateway.counts.received.fetch_add(1, Ordering::Relaxed);
        gateway::mark(&mut event, gateway, request, settings, &view);
    }
    if let Some(body) = encoding::decoded(message)? {
        event.set_body(Some(body));
    }
    refuse_foreign(&sender, &to, &event, &view)?;
    if let Some(route) = preloaded::left(message).filter(|_| sender.user.is_some() || sender.trusted) {
        event.add(preloaded::SIP_ROUTE, route);
    }
    if settings.config.fire_message_events {
        announce(shard, &event);
    }
    event.add(header::DEST_PROTO, event::interface(&event::user(&to)));
    if !quirks.accept_always {
        add_own(&mut event, message);
    }
    Ok(Some(event))
}

/// What FreeSWITCH's events don't have.
fn add_own(event: &mut Event, message: &Message<'_>) {
    let id = name(message, event.get(header::FROM).unwrap_or_default());
    event.add(header::MESSAGE_ID, id);
    event.set_request();
    for (name, header) in [(HeaderName::Expires, header::EXPIRES), (HeaderName::Date, header::DATE)] {
        if let Some(value) = message.first(name) {
            event.add(header, String::from_utf8_lossy(value));
        }
    }
}

/// A message that this server sent itself goes round in a circle. RFC 3261 §16.3 step 4; FreeSWITCH says 503.
fn refuse_own(message: &Message<'_>, core_uuid: &str, as_freeswitch: bool) -> Result<(), Refusal> {
    let own = message.named("X-FS-Sending-Message").any(|value| value == core_uuid.as_bytes());
    match own {
        true => Err(answer(if as_freeswitch { 503 } else { 482 }).into()),
        false => Ok(()),
    }
}

/// The sender may write its own user into From, in its own domain or at a host that is another name of ours. Another
/// domain of the directory has other users of the same names.
fn check_from(
    request: &Request<'_, '_>,
    sender: &Sender<'_>,
    from: &NameAddr<'_>,
    settings: &Settings,
    view: &View,
) -> Result<(), Refusal> {
    // Where nobody has to authenticate, or an access list vouches, there is nothing to hold From against.
    let Some(user) = sender.user else { return Ok(()) };
    let name = from.uri.user_unescaped().unwrap_or_default();
    if !auth::is_user(user, &String::from_utf8_lossy(&name)) {
        return Err(refuse::with_reason(403, "From is not the authenticated user").into());
    }
    let host = String::from_utf8_lossy(from.uri.host);
    let one_domain = settings.config.force_register_domain.is_some();
    let is_own = user.domain.eq_ignore_ascii_case(&host);
    // Where others than the files know users, any name of ours may be a domain of theirs; an address is none.
    let is_alias = match request.found() {
        None => view.is_ours(&host) && view.directory.domain(&host).is_none(),
        Some(_) => view.is_own_address(&host) && !request.has_domain(view, &host),
    };
    if is_own || is_alias || one_domain && view.is_ours(&host) {
        return Ok(());
    }
    Err(refuse::with_reason(403, "From names a domain that is not the authenticated user's").into())
}

/// One line a second at most.
fn tell_of_from(shard: &Shard, request: &Request<'_, '_>, sender: &Sender<'_>) {
    let Some(user) = sender.user else { return };
    let line = request.message.first(HeaderName::From).unwrap_or_default();
    let from: String = String::from_utf8_lossy(line).chars().filter(|char| !char.is_control()).collect();
    shard.profile.guard.impostors.say(|others| {
        let ip = request.peer.addr.ip().to_canonical();
        tracing::warn!(others, "{}@{} at IP {ip} is refused: its From is {from}", user.id, user.domain);
    });
}

/// Users of other domains are reached for those alone whom we know, also when the user part of To names them.
fn refuse_foreign(sender: &Sender<'_>, to: &NameAddr<'_>, event: &Event, view: &View) -> Result<(), Refusal> {
    if event.get(header::TO).is_some_and(gateway::names_gateway) {
        // Through which gateway a message leaves, and at whose cost, is the chatplan's to say.
        return Err(refuse::with_reason(403, "Gateways are not for senders to name").into());
    }
    if sender.user.is_some() || sender.trusted {
        return Ok(());
    }
    if sender.gateway.is_some() {
        // To names the gateway's domain; it was made one of ours.
        return Ok(());
    }
    let host = String::from_utf8_lossy(to.uri.host);
    let meant = event.get(header::TO).and_then(|to| to.split_once('@')).map_or(&*host, |(_, host)| host);
    if view.is_ours(&host) && view.is_ours(meant) {
        Ok(())
    } else {
        Err(refuse::with_reason(403, "Relaying needs authentication").into())
    }
}

/// RFC 3994: `application/im-iscomposing+xml`.
fn is_composing(message: &Message<'_>) -> bool {
    let subtype = message.content_type().map(|media| media.subtype);
    subtype.is_some_and(|subtype| subtype.windows(9).any(|part| part.eq_ignore_ascii_case(b"composing")))
}

fn announce(shard: &Shard, event: &Event) {
    let bus = &shard.world.deps.bus;
    if !bus.wanted(EventName::RecvMessage, None) {
        return;
    }
    let mut announced = event.clone();
    announced.set_name(EventName::RecvMessage);
    announced.add(header::EVENT_NAME, EventName::RecvMessage.as_str());
    bus.fire(announced);
}

/// RFC 3428 §7 forbids the Contact that FreeSWITCH sends.
fn accepted(settings: &Settings, with_contact: bool) -> Response {
    let response = answer(if settings.config.respond_200_ok { 200 } else { 202 });
    if with_contact { with(response, "Contact", settings.contact.clone()) } else { response }
}

/// What stands for a device's answer that would tell the sender something else than the device meant.
fn forwarded(code: u16) -> Option<u16> {
    match code {
        // A redirection without the device's Contact leads nowhere; RFC 4320 §4.2: no proxy says 408 to these requests.
        300..=399 | 408 => Some(480),
        // The device's challenge is not for the sender, who would answer it with our password.
        401 | 407 => Some(403),
        // RFC 3261 §16.7 step 6: it is the device that is overloaded, not we.
        503 => Some(500),
        _ => None,
    }
}

/// What the sender is told at the end of the flow.
pub fn verdict(verdict: Verdict, settings: &Settings) -> Response {
    let Verdict { code, reason, retry_after } = verdict;
    let response = match code {
        202 if settings.config.respond_200_ok => answer(200),
        503 if retry_after.is_some() => answer(503),
        code => forwarded(code).map_or_else(|| refuse::with_reason(code, reason), answer),
    };
    match retry_after {
        Some(seconds) => with(response, "Retry-After", seconds.to_string()),
        None => response,
    }
}
