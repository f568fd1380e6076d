//! A MESSAGE request as an event: FreeSWITCH's headers in FreeSWITCH's order.

use std::borrow::Cow;

use bytes::Bytes;
use chappe_event::{Event, EventName, Name, header};
use chappe_sip_msg::{Header, HeaderName, Message, NameAddr};
use chappe_sip_proto::{Peer, Transport};

use super::identity;
use crate::text::{push_ip, push_number, utf8};

/// What the event needs besides the request.
pub struct About<'p> {
    /// The profile's own address, `sip:mod_sofia@192.0.2.1:5060`.
    pub login: &'p str,
    pub profile: &'p str,
    pub context: &'p str,
    pub source: Peer,
    /// Content-Type loses its parameters.
    pub bare_type: bool,
    /// What the request asserts of its sender, RFC 3325, is passed on.
    pub asserted: bool,
}

/// The headers up to `sip_h_*`, and the body.
/// FreeSWITCH sofia_presence.c sofia_presence_handle_sip_i_message.
pub fn event(message: &Message<'_>, from: &NameAddr<'_>, to: &NameAddr<'_>, about: &About<'_>) -> Event {
    let mut event = Event::new(EventName::Message);
    let (from_user, from_host) = parts(from);
    let (to_user, to_host) = parts(to);
    let (proto, address) = destination(&to_user);
    let source = about.source;
    event.append(header::LOGIN, &[about.login]);
    event.append(header::PROTO, &["sip"]);
    event.append(header::TO_PROTO, &[proto]);
    event.append(header::FROM, &[&from_user, "@", &from_host]);
    event.append(header::FROM_USER, &[&from_user]);
    event.append(header::FROM_HOST, &[&from_host]);
    event.append(header::TO_USER, &[&to_user]);
    event.append(header::TO_HOST, &[&to_host]);
    event.append_written(header::FROM_SIP_IP, |text| push_ip(source.addr.ip().to_canonical(), text));
    event.append_written(header::FROM_SIP_PORT, |text| push_number(source.addr.port(), text));
    if source.transport != Transport::Udp {
        event.append(header::FROM_SIP_TRANSPORT, &[&source.transport.as_str().to_ascii_lowercase()]);
    }
    match address {
        Some(address) => event.append(header::TO, &[&address]),
        None => event.append(header::TO, &[&to_user, "@", &to_host]),
    }
    event.append(header::SUBJECT, &["SIMPLE MESSAGE"]);
    event.append(header::CONTEXT, &[about.context]);
    event.append(header::TYPE, &[&content_type(message, about.bare_type)]);
    event.append(header::FROM_FULL, &[&from_full(message)]);
    event.append(header::SIP_PROFILE, &[about.profile]);
    for line in message.headers().filter(|line| about.asserted || !identity::is_assertion(line)) {
        add_line(&mut event, &line);
    }
    if !message.body().is_empty() {
        event.set_body(Some(Bytes::copy_from_slice(message.body())));
    }
    event
}

fn parts<'a>(address: &NameAddr<'a>) -> (Cow<'a, str>, Cow<'a, str>) {
    (user(address), utf8(address.uri.host))
}

/// The user in its shortest spelling, RFC 3261 §19.1.4: escapes of unreserved characters are undone, so that `%31` is
/// `1`, while `%40` does not become a second `@`.
pub fn user<'a>(address: &NameAddr<'a>) -> Cow<'a, str> {
    let written = utf8(address.uri.user.unwrap_or_default());
    if !written.bytes().any(|byte| byte == b'%') {
        return written;
    }
    let mut out = String::with_capacity(written.len());
    let mut rest = &*written;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let code = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code.map(char::from).filter(|c| c.is_ascii_alphanumeric() || "-_.!~*'()".contains(*c)) {
            Some(unreserved) => {
                out.push(unreserved);
                rest = &after[2..];
            }
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    Cow::Owned(out + rest)
}

/// The chat interface, and the address when it is not `user@host`: `conf+3000+example.org` is `conf` and
/// `3000@example.org`.
fn destination(to_user: &str) -> (&str, Option<String>) {
    match to_user.split_once('+') {
        Some((proto, rest)) if !proto.is_empty() => (proto, Some(rest.replacen('+', "@", 1))),
        _ => ("sip", None),
    }
}

/// The chat interface that a message to this user goes to.
pub fn interface(to_user: &str) -> &str {
    destination(to_user).0
}

fn content_type<'m>(message: &Message<'m>, bare: bool) -> Cow<'m, str> {
    let Some(line) = message.header(HeaderName::ContentType) else { return Cow::Borrowed("text/plain") };
    let text = line.text();
    match text.split_once(';') {
        Some((bare_type, _)) if bare => Cow::Owned(bare_type.trim_end().to_owned()),
        _ => text,
    }
}

/// The From header with its address in angle brackets.
fn from_full<'m>(message: &Message<'m>) -> Cow<'m, str> {
    let Some(line) = message.header(HeaderName::From) else { return Cow::Borrowed("") };
    let text = line.text();
    if text.contains('<') {
        return text;
    }
    // RFC 3261 §20: without angle brackets, parameters belong to the header.
    match text.split_once(';') {
        Some((uri, params)) => Cow::Owned(format!("<{}>;{params}", uri.trim_end())),
        None => Cow::Owned(format!("<{text}>")),
    }
}

fn add_line(event: &mut Event, line: &Header<'_>) {
    match line.name {
        HeaderName::CallInfo if event.get(header::SIP_CALL_INFO).is_none() => {
            event.add(header::SIP_CALL_INFO, line.text());
        }
        HeaderName::HistoryInfo => {
            let value = match event.get(header::SIP_HISTORY_INFO) {
                Some(before) => Cow::Owned(format!("{before}, {}", line.text())),
                None => line.text(),
            };
            event.set(header::SIP_HISTORY_INFO, value);
        }
        HeaderName::Geolocation => event.set(header::SIP_GEOLOCATION, line.text()),
        HeaderName::Diversion | HeaderName::UserToUser | HeaderName::PAssertedIdentity => {
            numbered(event, line)
        }
        HeaderName::PPreferredIdentity => numbered(event, line),
        HeaderName::Privacy => identity::add_privacy(event, line),
        HeaderName::Other if line.is("Geolocation-Error") => {
            event.set(header::SIP_GEOLOCATION_ERROR, line.text());
        }
        HeaderName::Other if is_extension(line.name_text) => numbered(event, line),
        _ => {}
    }
}

fn is_extension(name: &[u8]) -> bool {
    matches!(name, [b'X' | b'x' | b'P' | b'p', b'-', ..])
}

/// `sip_h_NAME`, the second one of that name `sip_h_NAME-1`, and so on.
fn numbered(event: &mut Event, line: &Header<'_>) {
    if line.value.is_empty() {
        return;
    }
    // A name that would mean something else to the event's own array syntax is no token of RFC 3261 §25.1.
    let written = String::from_utf8_lossy(line.name_text);
    let mut name = format!("{}{written}", header::SIP_HEADER_PREFIX);
    let length = name.len();
    let mut repetition = 0;
    while event.get(&name).is_some() {
        repetition += 1;
        name.truncate(length);
        name.push_str(&format!("-{repetition}"));
    }
    event.add(Name::copied(&name), line.text());
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn headers_of(request: &str, bare_type: bool) -> String {
        let request = request.replace('\n', "\r\n");
        let message = chappe_sip_msg::parse(request.as_bytes()).unwrap();
        let about = About {
            login: "sip:mod_sofia@127.0.0.1:5066",
            profile: "internal",
            context: "default",
            source: Peer::udp("127.0.0.1:7104".parse().unwrap()),
            bare_type,
            asserted: true,
        };
        let (from, to) = (message.from().unwrap(), message.to().unwrap());
        let event = event(&message, &from, &to, &about);
        let mut out = String::new();
        for (name, _) in event.headers() {
            out.push_str(&format!("{name}: {}\n", event.get(name).unwrap()));
        }
        out + &event.body_text()
    }

    #[test]
    fn a_message_with_every_kind_of_header() {
        let request = "MESSAGE sip:1009@chat.test SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:7104;branch=z9hG4bK1\n\
            From: sip:1004@chat.test;tag=7\nTo: <sip:1009@chat.test>\nCall-ID: a\nCSeq: 1 MESSAGE\n\
            X-Tag: blue\nX-Tag: red\nCall-Info: <http://a.test/i.jpg>;purpose=icon\nAccept-Language: en\n\
            History-Info: <sip:a@b>\nHistory-Info: <sip:c@d>\nP-Thing: 1\nUser-to-User: 56a\nDiversion: <sip:x@y>\n\
            Content-Type: text/plain; charset=utf-8\nContent-Length: 11\n\nhello there";
        expect![[r#"
            login: sip:mod_sofia@127.0.0.1:5066
            proto: sip
            to_proto: sip
            from: 1004@chat.test
            from_user: 1004
            from_host: chat.test
            to_user: 1009
            to_host: chat.test
            from_sip_ip: 127.0.0.1
            from_sip_port: 7104
            to: 1009@chat.test
            subject: SIMPLE MESSAGE
            context: default
            type: text/plain; charset=utf-8
            from_full: <sip:1004@chat.test>;tag=7
            sip_profile: internal
            sip_h_X-Tag: blue
            sip_h_X-Tag-1: red
            sip_call_info: <http://a.test/i.jpg>;purpose=icon
            sip_history_info: <sip:a@b>, <sip:c@d>
            sip_h_P-Thing: 1
            sip_h_User-to-User: 56a
            sip_h_Diversion: <sip:x@y>
            hello there"#]]
        .assert_eq(&headers_of(request, false));
        assert!(headers_of(request, true).contains("type: text/plain\n"));
    }

    #[test]
    fn a_user_has_one_spelling() {
        let cases =
            [("10%309", "1009"), ("a%40b", "a%40b"), ("%c3%a9", "%c3%a9"), ("%7e%", "~%"), ("%+41", "%+41")];
        for (written, expected) in cases {
            let text = format!("<sip:{written}@h>");
            let Ok(address) = NameAddr::parse(HeaderName::To, text.as_bytes()) else { continue };
            assert_eq!(user(&address), expected);
        }
    }

    #[test]
    fn the_user_names_the_interface() {
        let cases = [
            ("1009", "sip", None),
            ("+15551234", "sip", None),
            ("conf+3000+host", "conf", Some("3000@host")),
            ("xmpp+bob", "xmpp", Some("bob")),
        ];
        for (user, proto, address) in cases {
            assert_eq!(destination(user), (proto, address.map(str::to_owned)));
        }
    }
}
