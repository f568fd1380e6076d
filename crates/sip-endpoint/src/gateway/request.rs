//! REGISTER and OPTIONS to a gateway, as octets.

use chappe_sip_msg::{Method, RequestWriter};
use chappe_sip_proto::Transport;

use super::Gateway;
use super::credentials::Shown;
use crate::inbound::ALLOW;

/// What a request has of its own.
pub struct Head<'h> {
    pub sent_by: &'h str,
    pub contact: &'h str,
    pub transport: Transport,
    pub branch: &'h str,
    pub call_id: &'h str,
    pub cseq: u32,
    pub user_agent: &'h str,
}

/// RFC 3261 §10.2. FreeSWITCH's To is From, unless `distinct-to` says otherwise.
pub fn register(gateway: &Gateway, head: &Head<'_>, expires: u32, shown: Option<&Shown>) -> Vec<u8> {
    let words = &gateway.words;
    let mut out = Vec::with_capacity(768);
    let mut request = RequestWriter::new(Method::Register, &words.registrar, &mut out);
    let to = if gateway.config.distinct_to { format!("<{}>", words.to) } else { words.from.clone() };
    begin(&mut request, gateway, head, &words.from, &to, "REGISTER");
    request.header("Contact", head.contact);
    request.header("Expires", expires.to_string());
    request.header("User-Agent", head.user_agent);
    request.header("Allow", ALLOW);
    request.header("Supported", "path");
    if let Some((name, value)) = shown {
        request.header(name, value);
    }
    request.finish();
    out
}

/// RFC 3261 §11.1.
pub fn options(gateway: &Gateway, head: &Head<'_>) -> Vec<u8> {
    let words = &gateway.words;
    let mut out = Vec::with_capacity(512);
    let mut request = RequestWriter::new(Method::Options, &words.registrar, &mut out);
    begin(&mut request, gateway, head, &words.ping, &words.ping, "OPTIONS");
    if gateway.config.contact_in_ping {
        request.header("Contact", head.contact);
    }
    request.header("User-Agent", gateway.config.ping_user_agent.as_deref().unwrap_or(head.user_agent));
    request.header("Accept", "*/*");
    request.finish();
    out
}

fn begin(
    request: &mut RequestWriter<'_>,
    gateway: &Gateway,
    head: &Head<'_>,
    from: &str,
    to: &str,
    method: &str,
) {
    let Head { sent_by, transport, branch, call_id, cseq, .. } = head;
    request.header("Via", format!("SIP/2.0/{transport} {sent_by};rport;branch={branch}"));
    if let Some(route) = gateway.words.tls_route.as_ref().filter(|_| *transport == Transport::Tls) {
        request.header("Route", route);
    }
    request.header("Max-Forwards", "70");
    request.header("From", format!("{from};tag={}", gateway.tag));
    request.header("To", to);
    request.header("Call-ID", call_id);
    request.header("CSeq", format!("{cseq} {method}"));
}
