//! What is told to those who answer for the directory.

use chappe_config::{Section, XmlQuery};
use chappe_event::{Calling, Event, EventName};
use chappe_sip_msg::{HeaderName, Message, Uri};
use chappe_sip_proto::digest::Credentials;

use super::Request;
use crate::shard::Shard;

/// Who is looked for, and where.
pub struct Wanted<'q> {
    pub user: &'q str,
    pub domain: &'q str,
}

/// FreeSWITCH's fields in FreeSWITCH's order: sofia_reg.c sofia_reg_parse_auth, then switch_xml.c switch_xml_locate_user.
pub fn question(
    shard: &Shard,
    request: &Request<'_, '_>,
    wanted: &Wanted<'_>,
    credentials: Option<&Credentials<'_>>,
) -> XmlQuery {
    let mut params = Event::new(EventName::RequestParams);
    shard.world.deps.bus.prepare(&mut params, Calling::here("sofia_reg_parse_auth"));
    params.add("action", "sip_auth");
    params.add("sip_profile", &*shard.profile.name);
    params.add("sip_user_agent", agent(request.message));
    params.add("sip_auth_username", wanted.user);
    params.add("sip_auth_realm", credentials.map_or(wanted.domain.into(), Credentials::realm));
    if let Some(credentials) = credentials {
        params.add("sip_auth_nonce", text(&credentials.nonce));
        params.add("sip_auth_uri", text(&credentials.uri));
    }
    addresses(&mut params, request);
    if let Some(credentials) = credentials {
        proof(&mut params, credentials);
    }
    params.add("sip_auth_method", text(request.message.method().as_bytes()));
    params.add_display("client_port", request.peer.addr.port());
    params.add("key", "id");
    params.add("user", if wanted.user.is_empty() { "nobody" } else { wanted.user });
    params.add("domain", wanted.domain);
    params.add_display("ip", request.peer.addr.ip().to_canonical());
    XmlQuery {
        section: Section::Directory,
        tag_name: "domain".to_owned(),
        key_name: "name".to_owned(),
        key_value: wanted.domain.to_owned(),
        params: params.headers().map(|(name, value)| (name.to_owned(), value.as_str().to_owned())).collect(),
    }
}

fn addresses(params: &mut Event, request: &Request<'_, '_>) {
    let message = request.message;
    let contact =
        message.first(HeaderName::Contact).and_then(|value| chappe_sip_msg::Contact::parse(value).ok());
    if let Some(contact) = contact.as_ref().and_then(|contact| contact.address()) {
        address(params, ["sip_contact_user", "sip_contact_host", ""], &contact.uri);
    }
    if let Ok(to) = message.to() {
        address(params, ["sip_to_user", "sip_to_host", "sip_to_port"], &to.uri);
    }
    params.add("sip_via_protocol", request.peer.transport.as_str().to_ascii_lowercase());
    if let Ok(from) = message.from() {
        address(params, ["sip_from_user", "sip_from_host", "sip_from_port"], &from.uri);
    }
    params.add("sip_call_id", text(message.call_id()));
    if let Ok(uri) = message.uri() {
        address(params, ["sip_request_user", "sip_request_host", "sip_request_port"], &uri);
    }
}

fn address(params: &mut Event, [user, host, port]: [&'static str; 3], uri: &Uri<'_>) {
    params.add(user, text(uri.user.unwrap_or_default()));
    params.add(host, text(uri.host));
    if let Some(number) = uri.port.filter(|_| !port.is_empty()) {
        params.add_display(port, number);
    }
}

fn proof(params: &mut Event, credentials: &Credentials<'_>) {
    if let Some(qop) = credentials.qop {
        params.add("sip_auth_qop", qop.as_str());
        params.add("sip_auth_cnonce", text(&credentials.cnonce));
        params
            .add_display("sip_auth_nc", format_args!("{:08x}", credentials.nonce_count.unwrap_or_default()));
    }
    params.add("sip_auth_response", text(&credentials.response));
}

fn agent(message: &Message<'_>) -> String {
    message.named("User-Agent").next().map_or_else(|| "unknown".to_owned(), |value| text(value).into_owned())
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
