//! What the sender of a message wants to be told.

use chappe_event::{Event, header};

use super::cpim::{CPIM, Cpim, IMDN, media_type};
use super::{Disposition, Notice};

/// RFC 5438 §6.1.
pub(super) const NAMESPACE: &str = "urn:ietf:params:imdn";
/// The prefix everybody uses.
pub(super) const PREFIX: &str = "imdn";

/// The octets that an address, an id and a time may have; RFC 5438 sets no limit, and clients need a tenth of it.
const MAX_ADDRESS: usize = 512;
const MAX_ID: usize = 256;
const MAX_TIME: usize = 64;

/// What the sender of a message wants to be told, and what he needs to recognise it.
///
/// It comes from the message alone, so that it can be asked again of a message that was stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// `imdn.Message-ID`: how the sender knows the message.
    pub message_id: String,
    /// The sender as CPIM's `From` has him, `Alice <im:alice@example.org>`; else as SIP's has.
    pub from: String,
    /// The recipient as CPIM's `To` has her; else as SIP's has.
    pub to: String,
    /// The recipient's URI before a list server changed it, `imdn.Original-To`.
    pub original_to: Option<String>,
    /// When it was sent, as the sender wrote it.
    pub date_time: Option<String>,
    pub positive_delivery: bool,
    pub negative_delivery: bool,
    pub processing: bool,
}

impl Wanted {
    /// The kind of notification that would say this; `None` when it was not asked for.
    pub fn disposition(&self, notice: Notice) -> Option<Disposition> {
        let delivery = |asked: bool| asked.then_some(Disposition::Delivery);
        let processing = self.processing.then_some(Disposition::Processing);
        match notice {
            Notice::Delivered => delivery(self.positive_delivery),
            Notice::Failed => delivery(self.negative_delivery),
            Notice::Forbidden => delivery(self.positive_delivery || self.negative_delivery).or(processing),
            Notice::Error => delivery(self.negative_delivery).or(processing),
            Notice::Processed | Notice::Stored => processing,
        }
    }
}

/// What the message's sender wants to be told; `None` when that is nothing a server can tell. A message that is no
/// `message/cpim` costs one comparison.
///
/// An anonymous sender is told nothing: there is nowhere to send it to (RFC 5438 §12.1.1).
pub fn wanted(message: &Event) -> Option<Wanted> {
    let cpim = read(message)?;
    if says_notification(&cpim) || is_anonymous(message) {
        return None;
    }
    let mut wanted = Wanted {
        message_id: String::new(),
        from: String::new(),
        to: String::new(),
        original_to: None,
        date_time: None,
        positive_delivery: false,
        negative_delivery: false,
        processing: false,
    };
    for field in cpim.of_namespace(NAMESPACE, PREFIX) {
        match field.name {
            "Message-ID" => wanted.message_id = field.value.to_owned(),
            "Disposition-Notification" => ask(&mut wanted, field.value),
            "Original-To" => wanted.original_to = uri(field.value).map(str::to_owned),
            _ => {}
        }
    }
    let asked = wanted.positive_delivery || wanted.negative_delivery || wanted.processing;
    if !asked || !is_plain(&wanted.message_id, MAX_ID) {
        return None;
    }
    wanted.from = address(cpim.field("From"), message.get(header::FROM));
    wanted.to = address(cpim.field("To"), message.get(header::TO));
    let time = cpim.field("DateTime").filter(|time| time.is_ascii() && is_plain(time, MAX_TIME));
    wanted.date_time = time.map(str::to_owned);
    Some(wanted)
}

/// Whether the message is a notification, about which there is none (RFC 5438 §7.2.1).
pub fn is_notification(message: &Event) -> bool {
    // Clients that do not speak CPIM send the XML alone.
    message.get(header::TYPE).is_some_and(|kind| media_type(kind, IMDN))
        || read(message).is_some_and(|cpim| says_notification(&cpim))
}

/// Whether the message's body is CPIM, by its type.
pub fn is_cpim(message: &Event) -> bool {
    message.get(header::TYPE).is_some_and(|kind| media_type(kind, CPIM))
}

fn read(message: &Event) -> Option<Cpim<'_>> {
    is_cpim(message).then(|| message.body().and_then(|body| Cpim::read(body)))?
}

/// RFC 5438 §9; either of the two signs is enough here. Several notifications may come as one (§8.3).
fn says_notification(cpim: &Cpim<'_>) -> bool {
    let disposition = cpim.content_field("Content-Disposition").unwrap_or_default();
    let kind = cpim.content_field("Content-Type").unwrap_or_default();
    let is_multipart = kind.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
    media_type(disposition, "notification")
        || media_type(kind, IMDN)
        || is_multipart && contains(cpim.content, IMDN)
}

fn contains(content: &[u8], text: &str) -> bool {
    content.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}

/// RFC 3323 §4.1.1.3.
fn is_anonymous(message: &Event) -> bool {
    message.get(header::FROM_HOST).is_some_and(|host| host.eq_ignore_ascii_case("anonymous.invalid"))
}

/// RFC 5438 §10: a list, each with parameters that mean nothing yet; what is not known is ignored (§7.2.1).
fn ask(wanted: &mut Wanted, value: &str) {
    for asked in value.split(',') {
        match asked.split(';').next().unwrap_or_default().trim() {
            "positive-delivery" => wanted.positive_delivery = true,
            "negative-delivery" => wanted.negative_delivery = true,
            "processing" => wanted.processing = true,
            _ => {}
        }
    }
}

/// The address as CPIM has it, if that can be written again, else `<sip:user@host>`.
fn address(written: Option<&str>, known: Option<&str>) -> String {
    let usable =
        written.filter(|written| is_plain(written, MAX_ADDRESS)).filter(|written| uri(written).is_some());
    match (usable, known.filter(|known| known.len() <= MAX_ADDRESS)) {
        (Some(written), _) => written.to_owned(),
        (None, Some(known)) => {
            format!("<sip:{}>", known.replace(|character: char| !is_of_a_uri(character), ""))
        }
        (None, None) => "<sip:unknown@unknown.invalid>".to_owned(),
    }
}

/// What stands in the angle brackets that end an address, if it can be a URI.
pub(super) fn uri(address: &str) -> Option<&str> {
    let (_, uri) = address.strip_suffix('>')?.rsplit_once('<')?;
    (uri.contains(':') && uri.len() <= MAX_ADDRESS && uri.chars().all(is_of_a_uri)).then_some(uri)
}

fn is_of_a_uri(character: char) -> bool {
    !character.is_control() && !character.is_whitespace() && !matches!(character, '<' | '>' | '"')
}

fn is_plain(text: &str, limit: usize) -> bool {
    !text.is_empty() && text.len() <= limit && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use chappe_event::EventName;

    use super::*;

    const HEAD: &str = "From: Alice <im:alice@a.test>\r\nTo: Bob <im:bob@b.test>\r\n";

    fn event(kind: &str, body: &str) -> Event {
        let mut event = Event::new(EventName::Message);
        event.add("type", kind);
        event.add("from", "alice@a.test");
        event.add("to", "bob@b.test");
        event.set_body(Some(bytes::Bytes::copy_from_slice(body.as_bytes())));
        event
    }

    fn cpim(fields: &str, content: &str) -> Event {
        event("Message/CPIM; charset=utf-8", &format!("{HEAD}{fields}\r\n\r\n{content}\r\n\r\nhello"))
    }

    fn asked(message: &Event) -> String {
        let Some(wanted) = wanted(message) else { return "nothing".into() };
        let list =
            [(wanted.positive_delivery, "+"), (wanted.negative_delivery, "-"), (wanted.processing, "p")];
        let list: String = list.iter().filter(|(asked, _)| *asked).map(|(_, sign)| *sign).collect();
        format!("{} {list}", wanted.message_id)
    }

    #[test]
    fn wishes_are_read() {
        let cases = [
            (
                "NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 1\r\nimdn.Disposition-Notification: positive-delivery, negative-delivery",
                "1 +-",
            ),
            (
                "NS: x <urn:ietf:params:imdn>\r\nx.Message-ID: 2\r\nx.Disposition-Notification: processing,display",
                "2 p",
            ),
            (
                "imdn.Message-ID: 3\r\nimdn.Disposition-Notification: processing;a=b , negative-delivery",
                "3 -p",
            ),
            (
                "imdn.Message-ID: 4\r\nimdn.Disposition-Notification: processing\r\nimdn.Disposition-Notification: positive-delivery",
                "4 +p",
            ),
            ("imdn.Message-ID: 5\r\nimdn.Disposition-Notification: display", "nothing"),
            ("imdn.Message-ID: 6\r\nimdn.Disposition-Notification: ", "nothing"),
            ("imdn.Message-ID: 7", "nothing"),
            ("imdn.Disposition-Notification: processing", "nothing"),
            ("imdn.Message-ID: \u{7}8\r\nimdn.Disposition-Notification: processing", "nothing"),
            (
                "NS: imdn <urn:other>\r\nimdn.Message-ID: 9\r\nimdn.Disposition-Notification: processing",
                "nothing",
            ),
        ];
        for (fields, expected) in cases {
            assert_eq!(asked(&cpim(fields, "Content-Type: text/plain")), expected, "{fields}");
        }
        let long =
            format!("imdn.Message-ID: {}\r\nimdn.Disposition-Notification: processing", "x".repeat(257));
        assert_eq!(asked(&cpim(&long, "Content-Type: text/plain")), "nothing");
    }

    #[test]
    fn a_notification_wants_nothing() {
        let fields = "imdn.Message-ID: 1\r\nimdn.Disposition-Notification: processing";
        let cases = [
            ("Content-Type: text/plain", false),
            ("Content-Disposition: attachment\r\nContent-type: text/plain", false),
            ("Content-type: message/imdn+xml", true),
            ("Content-Type: Message/IMDN+xml; charset=utf-8", true),
            ("Content-Type:\r\n message/imdn+xml", true),
            ("Content-Disposition: notification\r\nContent-Type: multipart/mixed", true),
            ("content-disposition: Notification;x=y", true),
            ("Content-Type: multipart/mixed;boundary=b\r\n\r\n--b\r\nContent-Type: message/imdn+xml", true),
            ("Content-Type: text/plain\r\n\r\nmessage/imdn+xml", false),
        ];
        for (content, expected) in cases {
            let message = cpim(fields, content);
            assert_eq!(is_notification(&message), expected, "{content}");
            assert_eq!(wanted(&message).is_none(), expected, "{content}");
        }
    }

    #[test]
    fn other_types_are_not_looked_at() {
        let fields =
            format!("{HEAD}imdn.Message-ID: 1\r\nimdn.Disposition-Notification: processing\r\n\r\n\r\n");
        for kind in ["text/plain", "message/cpimx", "", "multipart/mixed"] {
            assert_eq!(wanted(&event(kind, &fields)), None, "{kind}");
            assert!(!is_notification(&event(kind, &fields)), "{kind}");
        }
        assert!(is_notification(&event("message/imdn+xml", "<imdn/>")));
        let mut anonymous = event("message/cpim", &fields);
        assert!(wanted(&anonymous).is_some());
        anonymous.add("from_host", "anonymous.invalid");
        assert_eq!(wanted(&anonymous), None);
    }

    #[test]
    fn addresses_are_cpims_or_sips() {
        let ask = "imdn.Message-ID: 1\r\nimdn.Disposition-Notification: processing\r\n";
        let cases = [
            ("From: Alice <im:alice@a.test>", "Alice <im:alice@a.test>"),
            ("From: <im:alice@a.test>", "<im:alice@a.test>"),
            ("From: im:alice@a.test", "<sip:alice@a.test>"),
            ("From: <alice>", "<sip:alice@a.test>"),
            ("From: <im:al ice>", "<sip:alice@a.test>"),
            ("From: \u{1}A <im:alice@a.test>", "<sip:alice@a.test>"),
            ("X: y", "<sip:alice@a.test>"),
        ];
        for (from, expected) in cases {
            let message =
                event("message/cpim", &format!("{from}\r\n{ask}\r\nContent-Type: text/plain\r\n\r\n"));
            let wanted = wanted(&message).unwrap();
            assert_eq!((wanted.from.as_str(), wanted.to.as_str()), (expected, "<sip:bob@b.test>"), "{from}");
        }
    }

    #[test]
    fn the_time_and_the_original_recipient_are_kept() {
        let ask = "imdn.Message-ID: 1\r\nimdn.Disposition-Notification: processing\r\n";
        let fields =
            format!("{ask}DateTime: 2026-11-26T12:16:49-05:00\r\nimdn.Original-To: List <im:list@b.test>");
        let wanted = wanted(&cpim(&fields, "Content-Type: text/plain")).unwrap();
        assert_eq!(wanted.date_time.as_deref(), Some("2026-11-26T12:16:49-05:00"));
        assert_eq!(wanted.original_to.as_deref(), Some("im:list@b.test"));
    }
}
