//! MESSAGE from phone to phone.

mod fixture;

use chappe_sip_msg::HeaderName;
use fixture::phone::{header_text, parsed, status};
use fixture::{Server, param};

#[test]
fn relayed_to_every_binding_with_one_answer() {
    let server = Server::with("");
    let (mut one, mut two) = (server.registered("1001"), server.registered("1001"));
    let mut sender = server.registered("1000");
    let answer = sender.message_while("1001", "to both 🙂", &mut [&mut one, &mut two]);
    assert_eq!(status(&answer), 200);
    assert_eq!(header_text(&answer, HeaderName::Contact), "");
    for phone in [&mut one, &mut two] {
        let got = phone.receive();
        let message = parsed(&got);
        assert_eq!(message.body(), "to both 🙂".as_bytes());
        assert_eq!(message.uri_text(), phone.contact().as_bytes());
        assert!(header_text(&got, HeaderName::From).starts_with("<sip:1000@chat.test>;tag=t"));
        assert_eq!(header_text(&got, HeaderName::To), "<sip:1001@chat.test>");
        assert_eq!(header_text(&got, HeaderName::ContentType), "text/plain");
        assert_eq!(header_text(&got, HeaderName::MaxForwards), "70");
        let loop_mark: Vec<_> = message.named("X-FS-Sending-Message").collect();
        assert_eq!(loop_mark, [b"c0ffee00-0000-4000-8000-000000000000"]);
        assert!(phone.is_quiet());
    }
}

#[test]
fn the_best_answer_of_all_devices_is_the_senders() {
    for (codes, expected) in
        [([486, 200], 200), ([486, 603], 603), ([500, 404], 404), ([503, 503], 500), ([401, 302], 480)]
    {
        let server = Server::with("");
        let mut phones = codes.map(|code| {
            let mut phone = server.registered("1001");
            phone.answers = Some(code);
            phone
        });
        let [one, two] = &mut phones;
        let answer = server.phone("1000").message_while("1001", "x", &mut [one, two]);
        assert_eq!(status(&answer), expected, "{codes:?}");
    }
}

#[test]
fn a_retransmission_is_answered_again_and_delivered_once() {
    let server = Server::with("");
    let mut callee = server.registered("1001");
    let mut caller = server.phone("1000");
    let request = caller.signed_message("1001", "once");
    for _ in 0..3 {
        caller.send_raw(request.as_bytes());
    }
    assert!(callee.receive().ends_with(b"once"));
    assert_eq!(status(&caller.response_to(&request)), 200);
    assert_eq!(status(&caller.transact(&request)), 200);
    assert!(callee.is_quiet());
}

#[test]
fn nobody_at_home_is_202() {
    let server = Server::with("");
    assert_eq!(status(&server.phone("1000").message("1001", "x")), 202);
    let server = Server::with(&param("messages-respond-200-ok", "true"));
    assert_eq!(status(&server.phone("1000").message("1001", "x")), 200);
}

#[test]
fn a_silent_device_is_202_after_a_while_and_holds_up_nobody() {
    let server = Server::with("").accept_after(300);
    let mut silent = server.registered("1001");
    silent.answers = None;
    let mut quick = server.registered("1002");
    let mut caller = server.phone("1000");
    let slow = caller.signed_message("1001", "x");
    caller.send_raw(slow.as_bytes());
    assert_eq!(status(&server.phone("1003").message_while("1002", "y", &mut [&mut quick])), 200);
    assert_eq!(status(&caller.response_to(&slow)), 202);
}

#[test]
fn without_credentials_407_and_with_wrong_ones_407_again() {
    let server = Server::with("");
    let mut phone = server.registered("1000");
    let to = "sip:1001@chat.test";
    let first = phone.transact(&phone.request("MESSAGE", to, to, "", "x"));
    assert_eq!(status(&first), 407);
    phone.password = "wrong".to_owned();
    let second = phone.message("1001", "x");
    assert_eq!(status(&second), 407);
    assert!(header_text(&second, HeaderName::ProxyAuthenticate).contains("nonce="));
}

#[test]
fn credentials_serve_once() {
    let server = Server::with("");
    let mut phone = server.phone("1000");
    let to = "sip:1001@chat.test";
    let challenge = phone.transact(&phone.request("MESSAGE", to, to, "", "x"));
    let credentials = phone.credentials(&challenge, "MESSAGE", to).unwrap();
    assert_eq!(status(&phone.transact(&phone.request("MESSAGE", to, to, &credentials, "x"))), 202);
    let again = phone.transact(&phone.request("MESSAGE", to, to, &credentials, "x"));
    assert_eq!(status(&again), 407);
    assert!(header_text(&again, HeaderName::ProxyAuthenticate).contains("stale=true"));
}

#[test]
fn a_forged_from_is_403_unless_trusted() {
    for from in ["<sip:1002@chat.test>", "<sip:1000@elsewhere.test>", "<sip:chat.test>"] {
        let server = Server::with("");
        let mut phone = server.phone("1000");
        phone.from = from.to_owned();
        assert_eq!(status(&phone.message("1001", "x")), 403, "{from}");
        let trusting = Server::with(&param("apply-inbound-acl", "loopback.auto"));
        let mut phone = trusting.phone("1000");
        phone.from = from.to_owned();
        assert_eq!(status(&phone.message("1001", "x")), 202, "{from}");
        let lax = Server::with("").freeswitch_quirks();
        let mut phone = lax.phone("1000");
        phone.from = from.to_owned();
        assert_eq!(status(&phone.message("1001", "x")), 202, "{from}");
    }
}

#[test]
fn other_domains_are_for_authenticated_senders() {
    let server = Server::with(&param("auth-messages", "false"));
    let mut stranger = server.phone("stranger");
    let relay = stranger.request("MESSAGE", "sip:a@192.0.2.1", "sip:a@192.0.2.1", "", "x");
    assert_eq!(status(&stranger.transact(&relay)), 403);
    let server = Server::with("");
    let mut other = server.phone("other");
    let mut phone = server.phone("1000");
    let to = format!("sip:other@{}", other.addr().ip());
    // The host is the profile's own; a user of another port is reached by a URI alone.
    assert_eq!(status(&phone.authenticated("MESSAGE", &to, &to, "", "x")), 202);
    assert!(other.is_quiet());
}

#[test]
fn freeswitch_accepts_at_once_with_a_contact() {
    let server = Server::with("").freeswitch_quirks();
    let answer = server.phone("1000").message("1001", "x");
    assert_eq!(status(&answer), 202);
    let contact = header_text(&answer, HeaderName::Contact);
    assert_eq!(contact, format!("<sip:mod_sofia@{}>", server.addr()));
}

#[test]
fn our_own_message_is_not_taken_again() {
    let server = Server::with("");
    let to = "sip:1001@chat.test";
    let mark = "X-FS-Sending-Message: c0ffee00-0000-4000-8000-000000000000\r\n";
    let answer = server.phone("1000").authenticated("MESSAGE", to, to, mark, "x");
    assert_eq!(status(&answer), 482);
    let server = server.freeswitch_quirks();
    assert_eq!(status(&server.phone("1000").authenticated("MESSAGE", to, to, mark, "x")), 503);
}

#[test]
fn events_are_fired_around_a_message() {
    let server = Server::with(&param("fire-message-events", "true"));
    let mut callee = server.registered("1001");
    server.phone("1000").message_while("1001", "hi", &mut [&mut callee]);
    let seen = server.seen.0.lock();
    let recv = seen.iter().find(|event| event.name().as_str() == "RECV_MESSAGE").unwrap();
    assert_eq!(recv.get("sip_profile"), Some("internal"));
    assert_eq!(recv.get("context"), Some("default"));
    assert!(recv.get("dest_proto").is_none());
    assert_eq!(recv.body_text(), "hi");
    let sent = seen.iter().find(|event| event.name().as_str() == "MESSAGE").unwrap();
    assert_eq!(sent.get("dest_proto"), Some("sip"));
}

#[test]
fn extra_headers_travel_and_none_can_be_injected() {
    let server = Server::with("");
    let mut callee = server.registered("1001");
    let (router, runtime) = (server.router.clone(), &server.runtime);
    let sending = runtime.spawn(async move {
        let mut event = chappe_event::Event::new(chappe_event::EventName::Message);
        event.add("from", "evil\" <x>\r\nX-A: 1@chat.test");
        event.add("to", "1001@chat.test");
        event.add("type", "text/plain\r\nX-B: 1");
        event.add("sip_h_X-Good", "yes\r\nX-C: 1");
        event.add("sip_h_X-Bad: 1\r\nX-D", "1");
        event.add("sip_h_Via", "SIP/2.0/UDP evil;branch=z9hG4bKevil");
        event.add("sip_h_Content-Length", "0");
        event.set_body(Some(bytes::Bytes::from_static(b"body")));
        router.chat_send("sip", &mut event).await
    });
    let got = callee.receive();
    drop(sending);
    let message = parsed(&got);
    for name in ["X-A", "X-B", "X-C", "X-D"] {
        assert_eq!(message.named(name).count(), 0, "{name} was injected: {}", got.escape_ascii());
    }
    assert_eq!(message.named("X-Good").next(), Some(&b"yes  X-C: 1"[..]));
    assert_eq!(message.vias().count(), 1);
    assert_eq!(message.body(), b"body");
}

#[test]
fn a_device_that_does_not_want_to_hear_of_typing_is_asked_once() {
    let server = Server::with("");
    let (mut willing, mut unwilling) = (server.registered("1001"), server.registered("1002"));
    unwilling.answers = Some(415);
    let notice = "Content-Type: application/im-iscomposing+xml\r\n";
    let mut sender = server.phone("1000");
    for (to, expected, other) in [("1002", 415, &mut unwilling), ("1001", 200, &mut willing)] {
        let to = format!("sip:{to}@chat.test");
        for times in 1..=2 {
            let asked = sender.transact(&sender.request("MESSAGE", &to, &to, notice, "<x/>"));
            let credentials = sender.credentials(&asked, "MESSAGE", &to).unwrap();
            let request = sender.request("MESSAGE", &to, &to, &format!("{notice}{credentials}"), "<x/>");
            sender.send_raw(request.as_bytes());
            if expected == 200 || times == 1 {
                other.receive();
            }
            assert_eq!(status(&sender.response_to(&request)), expected, "{to} {times}");
            assert!(other.is_quiet());
        }
    }
    unwilling.answers = Some(200);
    assert_eq!(status(&sender.message_while("1002", "plain", &mut [&mut unwilling])), 200);
}
