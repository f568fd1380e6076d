//! Several flows of one device, RFC 5626.

mod fixture;

use chappe_sip_msg::HeaderName;
use fixture::phone::{Phone, header_text, status};
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
