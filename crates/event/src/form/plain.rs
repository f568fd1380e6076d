//! The plain form: a line a header, a blank line, the body.

use bytes::Bytes;

use crate::number::leading_number;
use crate::url::{url_decode, url_encode_into};
use crate::{Event, EventName, Name, Value, header};

/// What an event's plain form shows for a header without a value; only an element of an array can be empty.
const UNDEFINED: &str = "_undef_";

/// How values are written in the plain form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encode {
    /// Percent-encoded, as the event socket sends them.
    Percent,
    /// In square brackets as they are, as the `info` app logs them.
    Raw,
}

/// Appends the plain form to `out`: the headers, `Content-Length` if there is a body, a blank line, the body.
///
/// Octets of the body that are not UTF-8 come out as U+FFFD, which Content-Length counts; [`plain_octets`] keeps
/// them. FreeSWITCH switch_event.c switch_event_serialize.
pub fn plain(event: &Event, encode: Encode, out: &mut String) {
    let body = event.body_text();
    write_headers(event, encode, body.len(), out);
    out.push_str(&body);
}

/// [`plain`] with the body's octets as they are.
pub fn plain_octets(event: &Event, encode: Encode, out: &mut Vec<u8>) {
    let body = event.body().map_or(&[][..], |body| body);
    let mut head = String::new();
    write_headers(event, encode, body.len(), &mut head);
    out.reserve(head.len() + body.len());
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(body);
}

fn write_headers(event: &Event, encode: Encode, body_octets: usize, out: &mut String) {
    let octets: usize = event.headers().map(|(name, value)| name.len() + value.as_str().len() + 8).sum();
    out.reserve(octets + octets / 4 + body_octets);
    for (name, value) in event.headers() {
        write_name(name, out);
        out.push_str(": ");
        write_value(value, encode, out);
        out.push('\n');
    }
    if body_octets > 0 {
        out.push_str(header::CONTENT_LENGTH);
        out.push_str(": ");
        out.push_str(&body_octets.to_string());
        out.push('\n');
    }
    out.push('\n');
}

/// A name from a chatplan may hold an end of line, which must not begin a header of its own.
fn write_name(name: &str, out: &mut String) {
    match memchr::memchr2(b'\r', b'\n', name.as_bytes()) {
        None => out.push_str(name),
        Some(_) => out.extend(name.chars().map(|c| if matches!(c, '\r' | '\n') { '_' } else { c })),
    }
}

fn write_value(value: Value<'_>, encode: Encode, out: &mut String) {
    let text = value.as_str();
    match encode {
        Encode::Percent if text.is_empty() => out.push_str(UNDEFINED),
        Encode::Percent => url_encode_into(text, out),
        Encode::Raw => out.extend(["[", text, "]"]),
    }
}

/// The header lines of `text`, name and value, up to a blank line or the end.
///
/// A name ends at the first colon, blanks behind it are skipped, a line without a colon too. Values are not
/// decoded: what comes with `sendevent` isn't encoded. FreeSWITCH mod_event_socket.c read_packet.
pub fn parse_headers(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('\n')
        .map(|line| line.trim_end_matches('\r'))
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name, value.trim_start_matches(' ')))
}

/// The event whose plain, percent-encoded form `octets` is: what a client makes of what it receives.
///
/// A name that is none of FreeSWITCH's gives [`EventName::Clone`]. The last Content-Length, if it fits, says where
/// the body ends and is no header of the event.
pub fn from_plain(octets: &[u8]) -> Event {
    let head_end = memchr::memmem::find(octets, b"\n\n").map_or(octets.len(), |at| at + 1);
    let head = String::from_utf8_lossy(&octets[..head_end]);
    let rest = octets.get(head_end + 1..).unwrap_or_default();
    let mut headers: Vec<_> = parse_headers(&head).collect();
    let body = headers
        .pop_if(|(name, _)| !rest.is_empty() && name.eq_ignore_ascii_case(header::CONTENT_LENGTH))
        .map(|(_, length)| usize::try_from(leading_number(length)).unwrap_or(0).min(rest.len()));
    let named = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(header::EVENT_NAME));
    // The headers are as the sender had them, so none is unique here.
    let mut event = Event::new(EventName::Clone);
    for (name, value) in &headers {
        event.add(Name::copied(name), url_decode(value));
    }
    event.set_name(named.and_then(|(_, value)| EventName::parse(value)).unwrap_or(EventName::Clone));
    event.set_body(body.map(|length| Bytes::copy_from_slice(&rest[..length])));
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    fn message() -> Event {
        let mut event = Event::new(EventName::Message);
        event.add(header::EVENT_NAME, "MESSAGE");
        event.add(header::FROM_FULL, "<sip:1004@chat.test>;tag=é");
        event.push("list", "one");
        event.push("list", "");
        event
    }

    fn check(event: &Event, encode: Encode, expected: Expect) {
        let mut text = String::new();
        plain(event, encode, &mut text);
        expected.assert_eq(&text);
        let mut octets = Vec::new();
        plain_octets(event, encode, &mut octets);
        assert_eq!(octets, text.as_bytes());
    }

    #[test]
    fn values_are_percent_encoded() {
        let expected = expect![[r#"
            Event-Name: MESSAGE
            from_full: %3Csip%3A1004%40chat.test%3E%3Btag%3D%C3%A9
            list: ARRAY%3A%3Aone%7C%3A

        "#]];
        check(&message(), Encode::Percent, expected);
    }

    #[test]
    fn values_stand_in_brackets_for_people() {
        let mut event = message();
        event.set_body(Some(Bytes::from_static(b"hello there")));
        let expected = expect![[r#"
            Event-Name: [MESSAGE]
            from_full: [<sip:1004@chat.test>;tag=é]
            list: [ARRAY::one|:]
            Content-Length: 11

            hello there"#]];
        check(&event, Encode::Raw, expected);
    }

    #[test]
    fn an_empty_body_is_none() {
        let mut event = Event::new(EventName::Message);
        event.set_body(Some(Bytes::new()));
        let mut text = String::new();
        plain(&event, Encode::Percent, &mut text);
        assert_eq!(text, "\n");
    }

    #[test]
    fn octets_of_the_body_are_kept_where_they_can_be() {
        let mut event = Event::new(EventName::Message);
        event.set_body(Some(Bytes::from_static(b"\xff\x00a")));
        let (mut text, mut octets) = (String::new(), Vec::new());
        plain(&event, Encode::Percent, &mut text);
        plain_octets(&event, Encode::Percent, &mut octets);
        assert_eq!(text, "Content-Length: 5\n\n\u{FFFD}\0a");
        assert_eq!(octets, b"Content-Length: 3\n\n\xff\0a");
    }

    #[test]
    fn a_name_begins_no_line_of_its_own() {
        let mut event = Event::new(EventName::Message);
        event.add(Name::copied("a\nEvent-Name"), "x");
        check(&event, Encode::Percent, expect![["a_Event-Name: x\n\n"]]);
    }

    #[test]
    fn header_lines_are_read_as_sendevent_has_them() {
        let text = "to:   1009@chat.test\r\nnonsense\nempty:\nfrom_full: sip:a%20b@c:5060\n\nafter: x";
        let read: Vec<_> = parse_headers(text).collect();
        assert_eq!(read, [("to", "1009@chat.test"), ("empty", ""), ("from_full", "sip:a%20b@c:5060")]);
    }

    /// A value that survives: not empty, no array, and nothing that counts as encoded already.
    fn value() -> impl Strategy<Value = String> {
        "\\PC{1,40}".prop_filter("kept as it is", |text| {
            !text.starts_with("ARRAY::") && !url_decode(text).contains(|c| text.contains('%') && c != '%')
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_as_itself(
            headers in prop::collection::vec(("[a-zA-Z][a-zA-Z_-]{0,20}", value()), 0..20),
            list in prop::collection::vec("[a-z%: é]{1,9}", 0..4),
            body in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut event = Event::new(EventName::Custom);
            event.add(header::EVENT_NAME, "CUSTOM");
            for (name, value) in &headers {
                event.add(Name::copied(name), value);
            }
            for element in &list {
                event.push("a-list", element);
            }
            event.set_body((!body.is_empty()).then(|| Bytes::from(body)));
            let mut octets = Vec::new();
            plain_octets(&event, Encode::Percent, &mut octets);
            prop_assert_eq!(from_plain(&octets), event);
        }

        #[test]
        fn any_octets_are_read(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = from_plain(&octets);
        }
    }
}
