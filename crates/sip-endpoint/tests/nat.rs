//! Devices behind a NAT: how a profile is told to find them out, and what it makes of them.

mod fixture;

use chappe_sip_msg::HeaderName;
use fixture::phone::{Incoming, Phone, header_text, status};
use fixture::{Server, param};

const BLIND: &str = "<param name=\"accept-blind-reg\" value=\"true\"/>\n";

/// Registers `device` as 1001 at `contact`, as if its Via were `via`.
fn register(device: &mut Phone, via: &str, contact: &str) -> Incoming {
    let contact = format!("Contact: <{contact}>\r\n");
    let request = device.request("REGISTER", "sip:chat.test", "sip:1001@chat.test", &contact, "");
    let own = format!("{};rport", device.addr());
    let request = request.replace(&own, &format!("{via};rport"));
    device.transact(&request)
}

/// Whether a message to 1001 comes to the device that sent the REGISTER rather than to `other`, where its contact is.
fn comes_to(server: &Server, device: &mut Phone, other: &mut Phone, to: &str) -> bool {
    let headers = "Content-Type: text/plain\r\n";
    let mut sender = server.phone_at("127.0.0.9", "1000");
    let request = sender.request("MESSAGE", to, to, headers, "x");
    sender.send_raw(request.as_bytes());
    let mut is_there = || {
        device.pump(std::time::Duration::from_millis(2));
        other.pump(std::time::Duration::from_millis(2));
        !device.inbox.is_empty() || !other.inbox.is_empty()
    };
    let until = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while !is_there() {
        assert!(std::time::Instant::now() < until, "it comes to nobody");
    }
    let came = (std::mem::take(&mut device.inbox).len(), std::mem::take(&mut other.inbox).len());
    assert_eq!(came.0 + came.1, 1);
    assert_eq!(status(&sender.response_to(&request)), 200);
    came.0 == 1
}

fn params(more: &str) -> String {
    format!("{BLIND}{}{more}", param("apply-inbound-acl", "127.0.0.9/32"))
}

#[test]
fn a_device_whose_via_is_not_where_it_is_is_reached_where_it_is() {
    let aggressive = param("aggressive-nat-detection", "true");
    let own = "SELF";
    for (more, via, expected) in [
        ("", "192.0.2.1:5060", false),
        (&*aggressive, "192.0.2.1:5060", true),
        (&*aggressive, "127.0.0.1:5060", true),
        (&*aggressive, own, false),
        (&*(aggressive.clone() + &param("local-network-acl", "loopback.auto")), "192.0.2.1:5060", false),
        (&*(aggressive.clone() + &param("local-network-acl", "none")), "192.0.2.1:5060", true),
    ] {
        let server = Server::with(&params(more));
        let (mut device, mut other) = (server.phone("1001"), server.phone("1001"));
        let via = if via == own { device.addr().to_string() } else { via.to_owned() };
        let contact = other.contact();
        assert_eq!(status(&register(&mut device, &via, &contact)), 200);
        assert_eq!(
            comes_to(&server, &mut device, &mut other, "sip:1001@chat.test"),
            expected,
            "{more} {via}"
        );
    }
}

#[test]
fn a_device_whose_contact_all_lists_allow_is_reached_where_it_is() {
    let list = |text: &str| param("apply-nat-acl", text);
    let outside = param("ext-sip-ip", "127.0.0.1");
    for (more, expected) in [
        (outside.clone() + &list("127.0.0.5/32"), true),
        (outside.clone() + &list("127.0.0.5/32") + &list("10.0.0.0/8"), false),
        (outside.clone() + &list("10.0.0.0/8") + &list("none") + &list("127.0.0.5/32"), true),
        (outside.clone() + &list("none"), false),
        // Where the profile itself has an address of the list, that says nothing.
        (list("127.0.0.0/8"), false),
        (outside.clone() + &list("127.0.0.0/8"), true),
    ] {
        let server = Server::with(&params(&more));
        let mut other = server.phone_at("127.0.0.5", "1001");
        let mut device = server.phone("1001");
        let (via, contact) = (device.addr().to_string(), other.contact());
        assert_eq!(status(&register(&mut device, &via, &contact)), 200);
        assert_eq!(comes_to(&server, &mut device, &mut other, "sip:1001@chat.test"), expected, "{more}");
    }
}

#[test]
fn a_user_may_be_known_to_be_behind_a_nat() {
    let lists = params("");
    let server = Server::with(&lists.replace(BLIND, ""));
    let mut device = server.phone("1001");
    let mut other = server.phone("1001");
    let contact = format!("Contact: <{}>\r\n", other.contact());
    assert_eq!(status(&device.register_contacts(&contact)), 200);
    assert!(!comes_to(&server, &mut device, &mut other, "sip:1001@chat.test"));
    let mut device = server.phone("1009");
    let mut other = server.phone("1009");
    let contact = format!("Contact: <{}>\r\n", other.contact());
    assert_eq!(status(&device.register_contacts(&contact)), 200);
    assert!(comes_to(&server, &mut device, &mut other, "sip:1009@chat.test"));
}

#[test]
fn it_is_told_in_freeswitchs_words() {
    let aggressive = param("aggressive-nat-detection", "true");
    let server = Server::with(&params(&(aggressive + &param("NDLB-received-in-nat-reg-contact", "true"))));
    let mut device = server.phone("1001");
    let ok = register(&mut device, "192.0.2.1:5060", "sip:1001@192.0.2.1:5060");
    let seen = device.addr();
    let plain = "sip:1001@192.0.2.1:5060";
    assert_eq!(header_text(&ok, HeaderName::Contact), format!("<{plain}>;expires=3600;received=\"{seen}\""));
    let path = format!("sip%3A1001%40{}", seen.to_string().replace(':', "%3A"));
    let shown = format!("{plain};received={seen};fs_nat=yes;fs_path={path}");
    assert_eq!(server.api("sofia_contact 1001@chat.test"), format!("sofia/internal/{shown}"));
    let status = server.api("sofia status profile internal reg");
    assert!(status.contains(&format!("Contact:    \t<{shown}>\n")), "{status}");
    assert!(status.contains("\tRegistered(UDP-NAT)(unknown) EXP("), "{status}");
    let events = server.seen.0.lock();
    let event = events.iter().find(|event| event.subclass() == Some("sofia::register")).expect("it is told");
    assert_eq!(event.get("contact"), Some(&*format!("<{shown}>")));
    assert_eq!(event.get("status"), Some("Registered(UDP-NAT)"));
}

#[test]
fn it_is_known_after_a_restart() {
    let profile = || {
        let aggressive = params(&param("aggressive-nat-detection", "true"));
        fixture::profile("internal", &(aggressive + &param("sip-ip", "127.0.0.1")))
    };
    let server = Server::profiles(&profile());
    let (mut device, mut other) = (server.phone("1001"), server.phone("1001"));
    let contact = other.contact();
    assert_eq!(status(&register(&mut device, "192.0.2.1:5060", &contact)), 200);
    let server = server.restarted(&profile());
    device.turn_to(server.addr());
    other.turn_to(server.addr());
    assert!(comes_to(&server, &mut device, &mut other, "sip:1001@chat.test"));
}

#[test]
fn what_is_shown_of_a_device_can_be_written_to() {
    let server = Server::with(&params(&param("aggressive-nat-detection", "true")));
    let (mut device, other) = (server.phone("1001"), server.phone("1001"));
    let contact = other.contact();
    assert_eq!(status(&register(&mut device, "192.0.2.1:5060", &contact)), 200);
    let shown = server.api("sofia_contact 1001@chat.test").replace("sofia/", "");
    let mut message = chappe_event::Event::new(chappe_event::EventName::Message);
    for (name, value) in
        [("to", &*shown), ("from", "1000@chat.test"), ("proto", "sip"), ("type", "text/plain")]
    {
        message.add(name, value);
    }
    message.add("from_full", "<sip:1000@chat.test>");
    message.set_body(Some("x".into()));
    let sending = server.runtime.spawn({
        let router = server.router.clone();
        async move { router.chat_send("sip", &mut message).await }
    });
    let got = device.receive();
    assert!(got.starts_with(format!("MESSAGE {contact} SIP/2.0\r\n").as_bytes()));
    drop(sending);
}
