//! Several flows of one device, RFC 5626.

mod fixture;

use std::time::{Duration, Instant};

use chappe_sip_msg::HeaderName;
use fixture::phone::{Phone, header_text, parsed, status};
use fixture::{Server, param};

const INSTANCE: &str = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>\"";

fn flow(phone: &Phone, reg_id: u32) -> String {
    format!("Contact: <{}>;{INSTANCE};reg-id={reg_id}\r\nSupported: path, outbound\r\n", phone.contact())
}

#[test]
fn a_message_takes_one_flow_and_the_other_once_that_is_gone() {
    let server = Server::with(&param("multiple-registrations", "false"));
    let mut flows = [server.tcp_phone("1001"), server.tcp_phone("1001")];
    for (reg_id, phone) in (1..).zip(&mut flows) {
        let ok = phone.register_contacts(&flow(phone, reg_id));
        assert_eq!((status(&ok), header_text(&ok, HeaderName::Require)), (200, "outbound".to_owned()));
        assert!(header_text(&ok, HeaderName::Contact).contains(&format!("{INSTANCE};reg-id=")));
    }
    let [mut first, mut second] = flows;
    let mut sender = server.registered("1000");
    let ok = sender.message_while("1001", "to one", &mut [&mut first, &mut second]);
    assert_eq!((status(&ok), first.inbox.len() + second.inbox.len()), (200, 1));
    let (mut left, gone) = if second.inbox.is_empty() { (first, second) } else { (second, first) };
    left.inbox.clear();
    drop(gone);
    let ok = sender.message_while("1001", "to the other", &mut [&mut left]);
    assert_eq!((status(&ok), left.inbox.len()), (200, 1));
}

#[test]
fn who_keeps_flows_is_told_how_often_and_heard_no_longer_is_gone() {
    let timer = |phone: &mut Phone, contact: &str| {
        let ok = phone.register_contacts(contact);
        assert_eq!(status(&ok), 200);
        let knows = contact.contains("outbound") && contact.contains("reg-id");
        assert_eq!(header_text(&ok, HeaderName::Require), if knows { "outbound" } else { "" });
        parsed(&ok).named("Flow-Timer").next().map(|text| String::from_utf8_lossy(text).into_owned())
    };
    let server = Server::with("");
    let (mut tcp, mut udp) = (server.tcp_phone("1001"), server.phone("1001"));
    let of_tcp = flow(&tcp, 1);
    assert_eq!(timer(&mut tcp, &of_tcp).as_deref(), Some("120"));
    assert_eq!(timer(&mut tcp, &of_tcp.replace(", outbound", "")), None, "it does not know what that is");
    let plain = format!("Contact: <{}>\r\nSupported: outbound\r\n", tcp.contact());
    assert_eq!(timer(&mut tcp, &plain), None, "it is no flow");
    let of_udp = flow(&udp, 2);
    assert_eq!(timer(&mut udp, &of_udp), None, "there is no connection");
    let untold = Server::with(&param("flow-timer", "0"));
    let mut phone = untold.tcp_phone("1001");
    let contact = flow(&phone, 1);
    assert_eq!(timer(&mut phone, &contact), None);
    let server = Server::with(&param("flow-timer", "1"));
    let mut phone = server.tcp_phone("1001");
    let contact = flow(&phone, 1);
    let start = Instant::now();
    assert_eq!(timer(&mut phone, &contact).as_deref(), Some("1"));
    // The next thing that is read is the end.
    assert!(!phone.pump(Duration::from_secs(10)));
    assert!((1..10).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[test]
fn a_flow_that_failed_is_followed_by_the_next() {
    let server = Server::with("");
    let mut flows = [server.tcp_phone("1001"), server.tcp_phone("1001")];
    for (reg_id, phone) in (1..).zip(&mut flows) {
        assert_eq!(status(&phone.register_contacts(&flow(phone, reg_id))), 200);
    }
    let [mut first, mut second] = flows;
    // The later one is preferred.
    second.answers = Some(430);
    let mut sender = server.registered("1000");
    let ok = sender.message_while("1001", "by two ways", &mut [&mut first, &mut second]);
    assert_eq!((status(&ok), first.inbox.len(), second.inbox.len()), (200, 1, 1));
    second.answers = Some(486);
    first.inbox.clear();
    let busy = sender.message_while("1001", "refused by the device", &mut [&mut first, &mut second]);
    assert_eq!((status(&busy), first.inbox.len()), (486, 0));
}

#[test]
fn a_first_hop_that_keeps_no_flows_is_told_of() {
    let server = Server::with("");
    let mut phone = server.tcp_phone("1001");
    let via =
        |hop: &str| format!("{}Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKedge\r\n{hop}", flow(&phone, 1));
    let cases = [
        (via(""), 439, ""),
        (via("Path: <sip:192.0.2.7;lr>\r\n"), 439, ""),
        (via("Path: <sip:192.0.2.7;lr;ob>\r\n"), 200, "outbound"),
        (via("").replace("outbound", "gruu"), 200, ""),
    ];
    for (headers, code, require) in cases {
        let answer = phone.register_contacts(&headers);
        assert_eq!(
            (status(&answer), &*header_text(&answer, HeaderName::Require)),
            (code, require),
            "{headers}"
        );
    }
}

#[test]
fn both_flows_are_there_after_a_restart_also_with_one_contact() {
    let profile = fixture::profile("internal", &param("sip-ip", "127.0.0.1"));
    let server = Server::profiles(&profile);
    let mut phones = [server.phone("1001"), server.phone("1001")];
    let contact = phones[0].contact();
    for (reg_id, phone) in (1..).zip(&mut phones) {
        let flow =
            format!("Contact: <{contact}>;{INSTANCE};reg-id={reg_id}\r\nSupported: path, outbound\r\n");
        assert_eq!(status(&phone.register_contacts(&flow)), 200);
    }
    // In which order they are told, and how long each has left, is not what is asked here.
    let flows = |answer: &[u8]| {
        let answer = parsed(answer);
        let told = answer.all(HeaderName::Contact).map(|value| String::from_utf8_lossy(value).into_owned());
        let is_contact = |value: &String| value.starts_with(&format!("<{contact}>;expires="));
        let own = told.inspect(|value| assert!(is_contact(value), "{value}"));
        let mut ids: Vec<_> =
            own.filter_map(|value| value.rsplit_once("reg-id=").map(|(_, id)| id.to_owned())).collect();
        ids.sort();
        ids
    };
    assert_eq!(flows(&phones[0].register_contacts("")), ["1", "2"]);
    let server = server.restarted(&profile);
    assert_eq!(flows(&server.phone("1001").register_contacts("")), ["1", "2"]);
    // One is taken back, and the other stays.
    let one = format!("Contact: <{contact}>;{INSTANCE};reg-id=1;expires=0\r\nSupported: path, outbound\r\n");
    assert_eq!(flows(&server.phone("1001").register_contacts(&one)), ["2"]);
    let server = server.restarted(&profile);
    assert_eq!(flows(&server.phone("1001").register_contacts("")), ["2"]);
}
