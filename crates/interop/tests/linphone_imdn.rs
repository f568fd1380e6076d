//! Delivery notifications, RFC 5438, with linphone as the one who asks for them and as the one who sends them.
//!
//! linphone asks for `positive-delivery, negative-delivery, display`, never for `processing`.

mod softphone;

use bytes::Bytes;
use chappe_chat::imdn::{self, Notice};
use chappe_event::{Event, EventName};
use chappe_interop::{Agent, Folder, Received, Server, TEXT, find};
use softphone::Linphone;

/// What linphone's log says of a message.
const ANSWERED: &str = "moving from InProgress to Delivered";
const ARRIVED: &str = "moving from Delivered to DeliveredToUser";
const FAILED: &str = "moving from Delivered to NotDelivered";

fn between_two(transport: &str) {
    if find("linphonec").is_none() {
        return;
    }
    let server = Server::start(Folder::new());
    let (mut from, mut to) = (Linphone::with_cpim(), Linphone::with_cpim());
    from.register(&server, "1000", transport);
    to.register(&server, "1001", transport);
    from.chat("1001", TEXT);
    to.process.expect(&format!("Message received from sip:1000@127.0.0.1: {TEXT}"));
    from.process.expect(ANSWERED);
    from.process.expect(ARRIVED);
}

#[test]
fn the_recipients_own_notification_reaches_the_sender() {
    between_two("udp");
}

#[test]
fn over_tcp_as_well() {
    between_two("tcp");
}

#[test]
fn a_notification_of_linphones_arrives_as_it_was_written() {
    if find("linphonec").is_none() {
        return;
    }
    let server = Server::start(Folder::new());
    let mut from = Agent::udp(server.sip(), "1000");
    assert_eq!(from.register(), 200);
    let mut to = Linphone::with_cpim();
    to.register(&server, "1001", "udp");
    let body = format!(
        "From: <sip:1000@127.0.0.1>\r\nTo: <sip:1001@127.0.0.1>\r\nDateTime: 2026-11-26T12:00:00Z\r\n\
         NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 34jk324j\r\n\
         imdn.Disposition-Notification: positive-delivery\r\n\r\n\
         Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{TEXT}",
        TEXT.len()
    );
    assert_eq!(from.message("sip:1001@127.0.0.1", "message/cpim", body.as_bytes()), 200);
    to.process.expect(&format!("Message received from sip:1000@127.0.0.1: {TEXT}"));
    let notification = from.receive();
    // linphone deflates it.
    assert_eq!(notification.header("Content-Encoding"), None);
    assert_eq!(notification.header("Content-Type"), Some("message/cpim"));
    let (head, xml) =
        notification.text().split_once("<?xml").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert!(head.contains("\r\nContent-Disposition: notification\r\n"), "{head}");
    let length = format!("\r\nContent-Length: {}\r\n", "<?xml".len() + xml.len());
    assert!(head.contains(&length), "{head} has not {length}");
    assert!(xml.contains("<message-id>34jk324j</message-id>"), "{xml}");
    assert!(
        xml.contains("<delivery-notification><status><delivered/></status></delivery-notification>"),
        "{xml}"
    );
}

/// A message that linphone sent and an agent received, as the router sees it.
fn as_event(received: &Received) -> Event {
    let mut event = Event::new(EventName::Message);
    let headers = [
        ("proto", "sip"),
        ("from", "1000@127.0.0.1"),
        ("to", "1001@127.0.0.1"),
        ("type", received.header("Content-Type").unwrap_or_default()),
    ];
    headers.into_iter().for_each(|(name, value)| event.add(name, value));
    event.set_body(Some(Bytes::copy_from_slice(&received.body)));
    event
}

/// What linphone makes of a notification of ours.
fn understands(notice: Notice, moved: &str) {
    if find("linphonec").is_none() {
        return;
    }
    let server = Server::start(Folder::new());
    let mut from = Linphone::with_cpim();
    from.register(&server, "1000", "udp");
    let mut to = Agent::udp(server.sip(), "1001");
    assert_eq!(to.register(), 200);
    from.chat("1001", TEXT);
    let message = as_event(&to.receive());
    let wanted = imdn::wanted(&message).expect("linphone asks for notifications");
    let notification = imdn::notification(&message, &wanted, notice, 1_795_694_400_000_000, "d834jied93rf");
    let body = notification.expect("linphone asked for this one").body().cloned().unwrap_or_default();
    from.process.expect(ANSWERED);
    assert_eq!(to.message("sip:1000@127.0.0.1", "message/cpim", &body), 200);
    from.process.expect(moved);
}

#[test]
fn linphone_understands_that_its_message_failed() {
    understands(Notice::Failed, FAILED);
}

#[test]
fn linphone_understands_that_its_message_came_to_an_error() {
    understands(Notice::Error, FAILED);
}

#[test]
fn linphone_understands_that_its_message_arrived() {
    understands(Notice::Delivered, ARRIVED);
}

#[test]
fn a_message_that_waited_is_notified_by_the_recipient() {
    if find("linphonec").is_none() {
        return;
    }
    let server = Server::start(Folder::new());
    let mut from = Linphone::with_cpim();
    from.register(&server, "1000", "udp");
    from.chat("1001", TEXT);
    from.process.expect("SIP/2.0 202 Accepted");
    from.process.expect(ANSWERED);
    let mut to = Linphone::with_cpim();
    to.register(&server, "1001", "udp");
    to.process.expect(&format!("Message received from sip:1000@127.0.0.1: {TEXT}"));
    from.process.expect(ARRIVED);
}

#[test]
fn a_message_that_expired_is_notified_by_the_server() {
    if find("linphonec").is_none() {
        return;
    }
    let folder = Folder::new();
    let main = std::fs::read_to_string(folder.path().join("freeswitch.xml")).expect("just written");
    let sms = r#"<configuration name="sms.conf"><settings><param name="message-ttl" value="1"/></settings></configuration>
    <configuration name="switch.conf">"#;
    folder.write("freeswitch.xml", &main.replacen(r#"<configuration name="switch.conf">"#, sms, 1));
    let server = Server::start(folder);
    let mut from = Linphone::with_cpim();
    from.register(&server, "1000", "udp");
    from.chat("1001", TEXT);
    from.process.expect("SIP/2.0 202 Accepted");
    from.process.expect(FAILED);
}
