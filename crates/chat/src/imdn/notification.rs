//! The message that tells the sender.

use std::fmt::Write as _;

use bytes::Bytes;
use chappe_event::{Event, EventName, Name, header};
use jiff::Timestamp;

use super::cpim::{CPIM, IMDN, Writer};
use super::disposition::{NAMESPACE, PREFIX, Wanted, is_notification, uri};
use super::{Disposition, Notice};
use crate::flow::names_global;
use crate::router::GLOBAL_SMS;

/// The message that tells the sender of `message` what became of it, to be routed; `None` when he did not ask for that,
/// or there is no way back to him. `now_micros` are microseconds since 1970, `id` is the new message's `imdn.Message-ID`,
/// which nobody must be able to guess (RFC 5438 §6.3).
///
/// Whether the server is the one to say it is [`Notice::is_due`]'s question.
pub fn notification(
    message: &Event,
    wanted: &Wanted,
    notice: Notice,
    now_micros: i64,
    id: &str,
) -> Option<Event> {
    let disposition = wanted.disposition(notice)?;
    if is_notification(message) {
        return None;
    }
    let mut event = envelope(message)?;
    let now = Timestamp::from_microsecond(now_micros).unwrap_or(Timestamp::UNIX_EPOCH);
    let now = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let xml = xml(wanted, disposition, notice, &now);
    let mut body = Writer::default();
    body.field("From", &wanted.to)
        .field("To", &wanted.from)
        .field("NS", &format!("{PREFIX} <{NAMESPACE}>"))
        .field(&format!("{PREFIX}.Message-ID"), id)
        .field("DateTime", &now)
        .blank_line()
        .field("Content-Type", IMDN)
        .field("Content-Disposition", "notification")
        .field("Content-Length", &xml.len().to_string())
        .blank_line();
    event.set_body(Some(Bytes::from(body.content(&xml))));
    Some(event)
}

/// A message back to the sender's address in SIP, RFC 5438 §12.1.3.1, with nothing of the original but who, to whom and
/// where. `None` when the sender is no chat interface's.
fn envelope(message: &Event) -> Option<Event> {
    let back = message.get(header::PROTO).filter(|proto| !names_global(proto))?;
    let mut event = Event::new(EventName::Message);
    for (name, value) in message.reply().headers().filter(|(name, _)| is_kept(name)) {
        event.add(Name::copied(name), value.as_str());
    }
    event.add(header::PROTO, GLOBAL_SMS);
    event.add(header::DEST_PROTO, back);
    event.add(header::TYPE, CPIM);
    event.add(header::REPLYING, "true");
    event.add(header::SKIP_GLOBAL_PROCESS, "true");
    Some(event)
}

/// The address that the original came from is not kept: by the time it expires, somebody else may be there. The
/// sender's bindings are.
fn is_kept(name: &str) -> bool {
    const KEPT: [&str; 12] = [
        header::LOGIN,
        header::FROM,
        header::FROM_USER,
        header::FROM_HOST,
        header::FROM_PROTO,
        header::TO,
        header::TO_USER,
        header::TO_HOST,
        header::TO_FULL,
        header::SUBJECT,
        header::CONTEXT,
        header::SIP_PROFILE,
    ];
    KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(name))
}

/// RFC 5438 §11.1.9's schema has the two URIs together or not at all, so both are there, as in the examples of §7.2.1.1.
fn xml(wanted: &Wanted, disposition: Disposition, notice: Notice, now: &str) -> String {
    let element = match disposition {
        Disposition::Delivery => "delivery-notification",
        Disposition::Processing => "processing-notification",
    };
    let recipient = uri(&wanted.to).unwrap_or_default();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n");
    out.push_str("<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\">\r\n");
    text(&mut out, "message-id", &wanted.message_id);
    text(&mut out, "datetime", wanted.date_time.as_deref().unwrap_or(now));
    text(&mut out, "recipient-uri", recipient);
    text(&mut out, "original-recipient-uri", wanted.original_to.as_deref().unwrap_or(recipient));
    let word = notice.word();
    // Writing into a String can't fail.
    let _ = write!(out, "<{element}><status><{word}/></status></{element}>\r\n</imdn>\r\n");
    out
}

fn text(out: &mut String, element: &str, text: &str) {
    let _ = write!(out, "<{element}>");
    for character in text.chars().filter(|character| is_xml(*character)) {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other => out.push(other),
        }
    }
    let _ = write!(out, "</{element}>\r\n");
}

/// XML 1.0 §2.2: what may stand in a document at all, escaped or not; less the line ends.
fn is_xml(character: char) -> bool {
    !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use chappe_event::EventName;
    use proptest::prelude::*;

    use super::*;
    use crate::imdn::{Cpim, wanted};

    const NOON: i64 = 1_795_694_400_000_000;

    fn message(body: &str) -> Event {
        let mut event = Event::new(EventName::Message);
        let headers = [
            ("login", "sip:mod_sofia@192.0.2.1:5060"),
            ("proto", "sip"),
            ("to_proto", "sip"),
            ("from", "alice@a.test"),
            ("from_user", "alice"),
            ("from_host", "a.test"),
            ("to", "bob@b.test"),
            ("to_user", "bob"),
            ("to_host", "b.test"),
            ("from_sip_ip", "192.0.2.7"),
            ("from_sip_port", "5060"),
            ("subject", "SIMPLE MESSAGE"),
            ("context", "default"),
            ("type", "message/cpim"),
            ("from_full", "<sip:alice@a.test>;tag=1"),
            ("sip_profile", "internal"),
            ("sip_h_X-Color", "red"),
            ("dest_proto", "sip"),
            ("max_forwards", "12"),
            ("Message-ID", "0123"),
            ("blocking", "true"),
            ("final_delivery", "true"),
        ];
        headers.into_iter().for_each(|(name, value)| event.add(name, value));
        event.set_body(Some(Bytes::copy_from_slice(body.as_bytes())));
        event
    }

    fn asking(what: &str) -> Event {
        message(&format!(
            "From: Alice <im:alice@a.test>\r\nTo: Bob & Co <im:bob@b.test?a=1&b=2>\r\nDateTime: 2026-11-26T11:59:00Z\r\n\
             NS: n <urn:ietf:params:imdn>\r\nn.Message-ID: a'1\r\nn.Disposition-Notification: {what}\r\n\r\n\
             Content-Type: text/plain\r\n\r\nhello"
        ))
    }

    fn notify(message: &Event, notice: Notice) -> Option<Event> {
        notification(message, &wanted(message)?, notice, NOON, "fresh")
    }

    #[test]
    fn it_is_a_message_back_to_the_sender() {
        let notification = notify(&asking("negative-delivery"), Notice::Failed).unwrap();
        let headers: Vec<_> = notification.headers().map(|(n, v)| format!("{n}: {}", v.as_str())).collect();
        expect_test::expect![[r#"
            login: sip:mod_sofia@192.0.2.1:5060
            from_proto: sip
            to: alice@a.test
            to_user: alice
            to_host: a.test
            from: bob@b.test
            from_user: bob
            from_host: b.test
            subject: SIMPLE MESSAGE
            context: default
            to_full: <sip:alice@a.test>;tag=1
            sip_profile: internal
            proto: GLOBAL_SMS
            dest_proto: sip
            type: message/cpim
            replying: true
            skip_global_process: true"#]]
        .assert_eq(&headers.join("\n"));
    }

    #[test]
    fn its_body_is_an_imdn_in_cpim() {
        let notification = notify(&asking("negative-delivery"), Notice::Failed).unwrap();
        expect_test::expect![[r#"
            From: Bob & Co <im:bob@b.test?a=1&b=2>
            To: Alice <im:alice@a.test>
            NS: imdn <urn:ietf:params:imdn>
            imdn.Message-ID: fresh
            DateTime: 2026-11-26T12:00:00Z

            Content-Type: message/imdn+xml
            Content-Disposition: notification
            Content-Length: 380

            <?xml version="1.0" encoding="UTF-8"?>
            <imdn xmlns="urn:ietf:params:xml:ns:imdn">
            <message-id>a&apos;1</message-id>
            <datetime>2026-11-26T11:59:00Z</datetime>
            <recipient-uri>im:bob@b.test?a=1&amp;b=2</recipient-uri>
            <original-recipient-uri>im:bob@b.test?a=1&amp;b=2</original-recipient-uri>
            <delivery-notification><status><failed/></status></delivery-notification>
            </imdn>
        "#]]
        .assert_eq(&notification.body_text().replace("\r\n", "\n"));
        assert!(is_notification(&notification));
        assert_eq!(wanted(&notification), None, "it asks for nothing");
    }

    #[test]
    fn only_what_was_asked_for_is_told() {
        use Notice::{Delivered, Error, Failed, Forbidden, Processed, Stored};
        let cases = [
            ("positive-delivery", "Delivered:delivery Forbidden:delivery"),
            ("negative-delivery", "Failed:delivery Forbidden:delivery Error:delivery"),
            ("processing", "Forbidden:processing Error:processing Processed:processing Stored:processing"),
            (
                "processing,negative-delivery",
                "Failed:delivery Forbidden:delivery Error:delivery Processed:processing Stored:processing",
            ),
        ];
        for (asked, expected) in cases {
            let message = asking(asked);
            let told =
                [Delivered, Failed, Forbidden, Error, Processed, Stored].into_iter().filter_map(|notice| {
                    let text = notify(&message, notice)?.body_text().into_owned();
                    let (_, after) = text.split_once("</original-recipient-uri>\r\n<")?;
                    let (kind, rest) = after.split_once("-notification><status><")?;
                    let word = rest.split_once("/>")?.0;
                    assert_eq!(word, format!("{notice:?}").to_lowercase());
                    Some(format!("{notice:?}:{kind}"))
                });
            assert_eq!(told.collect::<Vec<_>>().join(" "), expected, "{asked}");
        }
    }

    #[test]
    fn there_has_to_be_a_way_back() {
        let mut message = asking("processing");
        let wanted = wanted(&message).unwrap();
        for proto in ["GLOBAL_SMS", "global", ""] {
            message.set("proto", proto);
            assert_eq!(notification(&message, &wanted, Notice::Stored, NOON, "x"), None, "{proto}");
        }
    }

    /// What the XML says, and whether it is well-formed.
    fn parsed(xml: &str) -> Result<Vec<(String, String)>, String> {
        use quick_xml::escape::resolve_predefined_entity;
        use quick_xml::events::Event as Xml;
        let mut reader = quick_xml::Reader::from_str(xml);
        let (mut open, mut found) = (Vec::new(), Vec::new());
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Xml::Start(start) => {
                    open.push(start.name().as_ref().to_owned());
                    found.push((open.join("/"), String::new()));
                }
                Xml::Empty(empty) => {
                    found.push((format!("{}/{}", open.join("/"), empty.name().as_ref()), String::new()));
                }
                Xml::End(_) => {
                    open.pop();
                }
                Xml::Text(text) => {
                    let is_layout = text.trim_matches(['\r', '\n']).is_empty();
                    if let (Some(last), false) = (found.last_mut(), is_layout) {
                        last.1.push_str(&text);
                    }
                }
                Xml::GeneralRef(reference) => {
                    let text = resolve_predefined_entity(&reference).ok_or("an entity that nobody knows")?;
                    found.last_mut().ok_or("text before the root")?.1.push_str(text);
                }
                Xml::Eof => return Ok(found),
                _ => {}
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_a_sender_writes_breaks_it(
            from in any::<String>(),
            to in "\\PC{0,40}<[a-z]{2,3}:\\PC{0,40}>",
            id in "[\\PC\u{0}-\u{20}]{1,300}",
            time in any::<String>(),
            original in any::<String>(),
        ) {
            let message = message(&format!(
                "From: {from}\r\nTo: {to}\r\nDateTime: {time}\r\nimdn.Message-ID: {id}\r\nimdn.Original-To: {original}\r\n\
                 imdn.Disposition-Notification: processing\r\n\r\nContent-Type: text/plain\r\n\r\nhello"
            ));
            let Some(wanted) = wanted(&message) else { return Ok(()) };
            let notification = notification(&message, &wanted, Notice::Stored, NOON, "fresh").unwrap();
            let body = notification.body().unwrap();
            prop_assert!(body.len() < 12_000);
            let cpim = Cpim::read(body).unwrap();
            let names: Vec<_> = cpim.fields.iter().map(|field| field.name).collect();
            prop_assert_eq!(names, ["From", "To", "NS", "imdn.Message-ID", "DateTime"]);
            prop_assert_eq!(cpim.field("To"), Some(wanted.from.trim()));
            let xml = std::str::from_utf8(cpim.content).unwrap();
            let length = xml.len().to_string();
            prop_assert_eq!(cpim.content_field("Content-Length"), Some(length.as_str()));
            let found = parsed(xml).unwrap();
            let names: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
            prop_assert_eq!(names, [
                "imdn",
                "imdn/message-id",
                "imdn/datetime",
                "imdn/recipient-uri",
                "imdn/original-recipient-uri",
                "imdn/processing-notification",
                "imdn/processing-notification/status",
                "imdn/processing-notification/status/stored",
            ]);
            prop_assert_eq!(&found[1].1, &wanted.message_id.replace(['\u{fffe}', '\u{ffff}'], ""));
        }
    }
}
