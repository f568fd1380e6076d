//! Printing MESSAGE requests: what all copies of one share, and what each has of its own.
//!
//! Nothing an event says can end a line: control characters become blanks, and names that are no token, or that are
//! ours to write, are left out.

use std::borrow::Cow;

use chappe_event::{Event, Value, header};
use chappe_sip_msg::{HeaderName, NameAddr, escape_user};

use crate::inbound::identity;
use crate::profile::Settings;
use crate::shard::Leg;

/// From the From line to the end of the body. To one who is not `trusted` with it, RFC 3325 §5, no identity goes whose owner
/// wants privacy, and not where the sender is.
pub fn rest(message: &Event, settings: &Settings, core_uuid: &str, trusted: bool) -> Vec<u8> {
    let hides = !trusted && identity::is_private(message);
    let body = message.body().map(|body| &body[..]).unwrap_or_default();
    let mut out = Vec::with_capacity(640 + body.len());
    write_from(message, settings, &mut out);
    out.extend_from_slice(&settings.request_lines);
    line(
        &mut out,
        "Content-Type",
        message.get(header::TYPE).filter(|t| !t.is_empty()).unwrap_or("text/html"),
    );
    line(&mut out, "X-FS-Sending-Message", core_uuid);
    for (name, line_name) in OF_THE_MESSAGE {
        if let Some(value) = message.get(name) {
            line(&mut out, line_name, value);
        }
    }
    for (name, value) in message.headers_named(header::SIP_HEADER_PREFIX) {
        let Some(name) = sip_header(name) else { continue };
        if hides && is_identity(name) || !trusted && says_where_from(name) {
            continue;
        }
        match value {
            Value::Text(text) => line(&mut out, name, text),
            Value::Array(array) => array.iter().for_each(|text| line(&mut out, name, text)),
        }
    }
    line(&mut out, "Content-Length", itoa::Buffer::new().format(body.len()));
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

/// The header, or its second and third as events number them.
fn is_identity(name: &str) -> bool {
    let asserted = &identity::ASSERTED[header::SIP_HEADER_PREFIX.len()..];
    let begins = |name: &str| name.get(..asserted.len()).is_some_and(|is| is.eq_ignore_ascii_case(asserted));
    begins(name) || name.eq_ignore_ascii_case("Remote-Party-ID")
}

/// What a proxy of ours says of where the sender is: nothing for recipients. Or its second, as events number them.
fn says_where_from(name: &str) -> bool {
    const OF_PROXIES: [&str; 2] = ["X-AUTH-IP", "X-AUTH-PORT"];
    let begins = |with: &str| name.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    OF_PROXIES.into_iter().any(begins)
}

/// RFC 3428 §9, and the name that tells a message which is sent again.
const OF_THE_MESSAGE: [(&str, &str); 3] =
    [(header::MESSAGE_ID, "Message-ID"), (header::DATE, "Date"), (header::EXPIRES, "Expires")];

/// The header that `sip_h_NAME` asks for.
fn sip_header(name: &str) -> Option<&str> {
    let (prefix, name) = name.split_at_checked(header::SIP_HEADER_PREFIX.len())?;
    let wanted = prefix.eq_ignore_ascii_case(header::SIP_HEADER_PREFIX);
    (wanted && is_token(name) && !is_ours(name)).then_some(name)
}

fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte))
}

/// Headers that routing and framing depend on.
fn is_ours(name: &str) -> bool {
    use HeaderName::{
        CSeq, CallId, Contact, ContentEncoding, ContentLength, ContentType, From, MaxForwards, ProxyRequire,
        RecordRoute, Require, Route, To, Via,
    };
    let name = HeaderName::of(name.as_bytes());
    let ours = [
        CSeq,
        CallId,
        Contact,
        ContentEncoding,
        ContentLength,
        ContentType,
        From,
        MaxForwards,
        ProxyRequire,
        RecordRoute,
        Require,
        Route,
        To,
        Via,
    ];
    ours.contains(&name)
}

fn line(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    one_line(out, value);
    out.extend_from_slice(b"\r\n");
}

fn one_line(out: &mut Vec<u8>, value: &str) {
    let ends_line = |byte: u8| byte < b' ' && byte != b'\t' || byte == 0x7f;
    // Without a way out in the middle, so that many octets are looked at at once.
    if !value.bytes().fold(false, |found, byte| found | ends_line(byte)) {
        return out.extend_from_slice(value.as_bytes());
    }
    out.extend(value.bytes().map(|byte| if ends_line(byte) { b' ' } else { byte }));
}

/// The From line: as the sender wrote it, or made of `from` for those who never spoke SIP.
/// FreeSWITCH sofia_presence.c sofia_presence_chat_send.
fn write_from(message: &Event, settings: &Settings, out: &mut Vec<u8>) {
    let proto = message.get(header::PROTO).unwrap_or("global");
    let written = if proto.eq_ignore_ascii_case("sip") { written_from(message) } else { None };
    let (from, has_tag) = written.unwrap_or_else(|| {
        let made = match proto.eq_ignore_ascii_case("sip") {
            true => format!("<sip:{}>", settings.sent_by),
            false => made_from(message, proto, settings),
        };
        (Cow::Owned(made), false)
    });
    out.extend_from_slice(b"From: ");
    one_line(out, &from);
    if !has_tag {
        out.extend_from_slice(b";tag=");
        out.extend_from_slice(super::tag().as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// The sender's own From, and whether it has a tag.
fn written_from(message: &Event) -> Option<(Cow<'_, str>, bool)> {
    let full = message.get(header::FROM_FULL)?;
    let parsed = NameAddr::parse(HeaderName::From, full.as_bytes()).ok()?;
    if full.bytes().any(|byte| byte == b'<') {
        return Some((Cow::Borrowed(full), parsed.tag().is_some()));
    }
    // RFC 3261 §20: without angle brackets, parameters belong to the header.
    let text = match full.split_once(';') {
        Some((uri, params)) => format!("<{uri}>;{params}"),
        None => format!("<{full}>"),
    };
    Some((Cow::Owned(text), parsed.tag().is_some()))
}

fn made_from(message: &Event, proto: &str, settings: &Settings) -> String {
    let from = message.get(header::FROM).unwrap_or_default();
    let (user, host) = from.split_once('@').unwrap_or((from, ""));
    let host = if host.is_empty() { &*settings.domain } else { host };
    let from_proto = message.get(header::FROM_PROTO);
    let prefix = if proto.to_ascii_lowercase().contains("global") {
        from_proto.filter(|from_proto| !from_proto.eq_ignore_ascii_case("sip"))
    } else {
        Some(from_proto.unwrap_or(proto))
    };
    let mut uri = String::from("sip:");
    if let Some(prefix) = prefix {
        uri_user(prefix, &mut uri);
        uri.push('+');
    }
    uri_user(user, &mut uri);
    uri.push('@');
    push_host(host, &mut uri);
    format!("\"{}\" <{uri}>", display(user))
}

/// A user as it stands in an event, in a URI: what is escaped already stays so.
pub fn uri_user(user: &str, out: &mut String) {
    let mut rest = user;
    while let Some((before, after)) = rest.split_once('%') {
        escape_user(before, out);
        match after.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit())) {
            Some(digits) => {
                out.push('%');
                out.push_str(digits);
                rest = &after[2..];
            }
            None => {
                out.push_str("%25");
                rest = after;
            }
        }
    }
    escape_user(rest, out);
}

/// RFC 3261 §25.1 quoted-string.
fn display(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for char in name.chars().filter(|char| !char.is_control()) {
        if matches!(char, '"' | '\\') {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

/// The host without what can't stand in one.
pub fn push_host(host: &str, out: &mut String) {
    let stands = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if host.bytes().all(stands) {
        return out.push_str(host);
    }
    out.extend(host.bytes().filter(|byte| stands(*byte)).map(char::from));
}

/// What a copy has of its own.
pub struct Head<'h> {
    pub leg: &'h Leg,
    pub sent_by: &'h str,
    pub branch: &'h str,
    pub call_id: &'h str,
    pub cseq: u32,
}

/// Writes a whole request: the copy's own lines and the `rest` that all share.
pub fn write(head: &Head<'_>, rest: &[u8], out: &mut Vec<u8>) {
    let Head { leg, sent_by, branch, call_id, cseq } = head;
    out.extend_from_slice(b"MESSAGE ");
    one_line(out, &leg.uri);
    out.extend_from_slice(b" SIP/2.0\r\n");
    let transport = leg.peer.transport.as_str();
    for piece in ["Via: SIP/2.0/", transport, " ", sent_by, ";rport;branch=", branch, "\r\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
    out.extend_from_slice(b"Max-Forwards: 70\r\n");
    for route in &leg.route {
        line(out, "Route", route);
    }
    line(out, "To", &leg.to);
    let mut digits = itoa::Buffer::new();
    for piece in ["Call-ID: ", call_id, "\r\nCSeq: ", digits.format(*cseq), " MESSAGE\r\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_escaped_once() {
        for (user, expected) in
            [("1009", "1009"), ("a%40b", "a%40b"), ("50%", "50%25"), ("a b", "a%20b"), ("+1", "+1")]
        {
            let mut out = String::new();
            uri_user(user, &mut out);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn only_headers_that_are_not_ours_are_taken_from_an_event() {
        let cases = [
            ("sip_h_X-Color", Some("X-Color")),
            ("SIP_H_P-Thing", Some("P-Thing")),
            ("sip_h_Subject", Some("Subject")),
            ("sip_h_Via", None),
            ("sip_h_v", None),
            ("sip_h_Content-Length", None),
            ("sip_h_X: 1\r\nY", None),
            ("sip_h_", None),
            ("sip_hX", None),
            ("subject", None),
        ];
        for (name, expected) in cases {
            assert_eq!(sip_header(name), expected, "{name}");
        }
    }
}
