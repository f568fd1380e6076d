//! Who may say to be whom, and who may send where.

mod fixture;

use chappe_sip_msg::HeaderName;
use fixture::phone::{Phone, header_text, parsed, status};
use fixture::{OTHER_DOMAIN, Server, param};

/// The value of `name` in the RECV_MESSAGE event of the only message.
fn received(server: &Server, name: &str) -> Option<String> {
    let seen = server.seen.0.lock();
    let event = seen.iter().find(|event| event.name().as_str() == "RECV_MESSAGE")?;
    event.get(name).map(str::to_owned)
}

#[test]
fn from_is_the_authenticated_user_in_its_own_domain() {
    let server = Server::with("");
    for (from, expected) in [
        ("sip:1000@chat.test", 202),
        ("\"The Boss\" <sip:1000@chat.test>", 202),
        ("<sip:%31000@CHAT.test:5070;transport=tcp>", 202),
        ("<sips:1000@chat.test>", 202),
        ("<sip:1000@127.0.0.1>", 202),
        ("<sip:1000@other.test>", 403),
        ("<sip:1000@bank.test>", 403),
        ("<sip:1001@chat.test>", 403),
        ("<sip:1000%40chat.test@chat.test>", 403),
        ("<sip:1000%00@chat.test>", 403),
        ("<sip:1000;x@chat.test>", 403),
        ("<tel:1000>", 403),
        ("<sip:1001@chat.test>;x=\"<sip:1000@chat.test>\"", 403),
    ] {
        let mut phone = server.phone("1000");
        phone.from = from.to_owned();
        assert_eq!(status(&phone.message("1001", "x")), expected, "{from}");
    }
}

#[test]
fn a_forced_domain_has_names_of_ours_and_no_others() {
    let server = Server::with(&param("force-register-domain", "chat.test"));
    for (host, expected) in [("127.0.0.1", 202), (OTHER_DOMAIN, 202), ("bank.test", 403)] {
        let mut phone = server.phone("1000");
        phone.from = format!("<sip:1000@{host}>");
        assert_eq!(status(&phone.message("1001", "x")), expected, "{host}");
    }
}

#[test]
fn an_identity_is_asserted_by_trusted_senders_alone() {
    let names = ["P-Asserted-Identity", "P-Preferred-Identity"];
    let nobody_asked = param("auth-messages", "false");
    let boss = Some("<sip:boss@chat.test>");
    for (params, expected) in [
        ("", None),
        (&*nobody_asked, None),
        (&*param("apply-inbound-acl", "loopback.auto"), boss),
        (&*(nobody_asked.clone() + &param("apply-inbound-acl", "loopback.auto")), boss),
    ] {
        for name in names {
            let server = Server::with(&(param("fire-message-events", "true") + params));
            let headers = format!("{name}: <sip:boss@chat.test>\r\nX-Color: red\r\n");
            let to = "sip:1001@chat.test";
            assert_eq!(status(&server.phone("1000").authenticated("MESSAGE", to, to, &headers, "x")), 202);
            assert_eq!(received(&server, &format!("sip_h_{name}")).as_deref(), expected);
            assert_eq!(received(&server, "sip_h_X-Color").as_deref(), Some("red"));
        }
    }
}

#[test]
fn a_user_prefers_one_of_its_own_identities() {
    for (preferred, expected) in [
        ("P-Preferred-Identity: \"Me\" <sip:2003@chat.test>\r\n", Some("<sip:2003@chat.test>")),
        ("P-Preferred-Identity: <sip:1003@CHAT.test;x=y>\r\n", Some("<sip:1003@chat.test>")),
        ("P-Preferred-Identity: <sip:1001@chat.test>\r\n", None),
        ("P-Preferred-Identity: <sip:1003@other.test>\r\n", None),
        (
            "P-Preferred-Identity: <tel:+1555>\r\nP-Preferred-Identity: <sip:1003@chat.test>\r\n",
            Some("<sip:1003@chat.test>"),
        ),
        ("P-Asserted-Identity: <sip:1003@chat.test>\r\n", None),
    ] {
        let server = Server::with(&param("fire-message-events", "true"));
        let to = "sip:1001@chat.test";
        let answer = server.phone("1003").authenticated("MESSAGE", to, to, preferred, "x");
        assert_eq!(status(&answer), 202, "{preferred}");
        assert_eq!(received(&server, "sip_h_P-Asserted-Identity").as_deref(), expected, "{preferred}");
        assert_eq!(received(&server, "sip_h_P-Preferred-Identity"), None, "{preferred}");
    }
}

#[test]
fn a_device_is_not_told_an_identity_that_is_private() {
    let server = Server::with(&param("apply-inbound-acl", "127.0.0.2/32"));
    let mut callee = server.registered("1001");
    for (privacy, expected) in [
        ("", "<sip:boss@chat.test>"),
        ("Privacy: none\r\n", "<sip:boss@chat.test>"),
        ("Privacy: user;id\r\n", ""),
    ] {
        let mut trusted = server.phone_at("127.0.0.2", "1000");
        let to = "sip:1001@chat.test";
        let headers = format!("P-Asserted-Identity: <sip:boss@chat.test>\r\n{privacy}");
        trusted.send_raw(trusted.request("MESSAGE", to, to, &headers, "x").as_bytes());
        let got = callee.receive();
        assert_eq!(header_text(&got, HeaderName::PAssertedIdentity), expected, "{privacy}");
        assert_eq!(parsed(&got).first(HeaderName::Privacy).is_some(), !privacy.is_empty());
    }
}

#[test]
fn a_profile_may_believe_from() {
    let server = Server::with(&param("message-force-matching-username", "false"));
    let mut phone = server.phone("1000");
    phone.from = "<sip:1001@chat.test>".to_owned();
    assert_eq!(status(&phone.message("1001", "x")), 202);
}

#[test]
fn strangers_reach_nobody_elsewhere() {
    let server = Server::with(&param("auth-messages", "false"));
    let mut elsewhere = Phone::udp("elsewhere", server.addr());
    let there = elsewhere.addr();
    let ours = "sip:1001@chat.test".to_owned();
    for (uri, to, route, expected) in [
        (ours.clone(), "sip:a@192.0.2.1".to_owned(), String::new(), 403),
        (ours.clone(), format!("sip:a@{there}"), String::new(), 202),
        (
            ours.clone(),
            format!("sip:sip+a+{there}@chat.test").replace(&format!(":{}", there.port()), ""),
            String::new(),
            202,
        ),
        (ours.clone(), "sip:sip+a+192.0.2.1@chat.test".to_owned(), String::new(), 403),
        (ours.clone(), "sip:SIP+a+bank.test@chat.test".to_owned(), String::new(), 403),
        (ours.clone(), "sip:sip+internal/a+bank.test@chat.test".to_owned(), String::new(), 403),
        (format!("sip:a@{there}"), ours.clone(), String::new(), 202),
        (ours.clone(), ours.clone(), format!("Route: <sip:{there};lr>\r\n"), 202),
    ] {
        let mut stranger = server.phone("stranger");
        let answer = stranger.transact(&stranger.request("MESSAGE", &uri, &to, &route, "x"));
        assert_eq!(status(&answer), expected, "{uri} {to} {route}");
    }
    assert!(elsewhere.is_quiet());
}

#[test]
fn blind_authentication_wants_credentials_and_takes_any() {
    let server = Server::with(&param("accept-blind-auth", "true"));
    let mut phone = server.phone("1000");
    let to = "sip:1001@chat.test";
    assert_eq!(status(&phone.transact(&phone.request("MESSAGE", to, to, "", "x"))), 407);
    phone.password = "wrong".to_owned();
    assert_eq!(status(&phone.message("1001", "x")), 202);
    assert_eq!(status(&phone.register(60)), 200);
    let mut nobody = server.phone("9999");
    assert_eq!(status(&nobody.message("1001", "x")), 202);
    let foreign = "sip:a@192.0.2.1";
    assert_eq!(status(&nobody.authenticated("MESSAGE", foreign, foreign, "", "x")), 403);
}

#[test]
fn calls_are_refused_and_with_auth_calls_only_to_users() {
    let to = "sip:1001@chat.test";
    let server = Server::with("");
    let mut phone = server.phone("1000");
    assert_eq!(status(&phone.transact(&phone.request("INVITE", to, to, "", ""))), 405);
    let server = Server::with(&param("auth-calls", "true"));
    let mut phone = server.phone("1000");
    assert_eq!(status(&phone.transact(&phone.request("INVITE", to, to, "", ""))), 407);
    let refused = phone.authenticated("INVITE", to, to, "", "");
    assert_eq!(status(&refused), 405);
    assert_eq!(header_text(&refused, HeaderName::Allow), "REGISTER, MESSAGE, OPTIONS");
    phone.password = "wrong".to_owned();
    assert_eq!(status(&phone.authenticated("INVITE", to, to, "", "")), 407);
}

#[test]
fn the_context_is_the_senders_own() {
    for (domain, expected) in [("chat.test", "default"), (OTHER_DOMAIN, "special")] {
        let server =
            Server::with(&(param("fire-message-events", "true") + &param("challenge-realm", "auto_from")));
        let mut phone = server.phone("1000");
        phone.from = format!("<sip:1000@{domain}>");
        assert_eq!(status(&phone.message("1001", "x")), 202);
        assert_eq!(received(&server, "context").as_deref(), Some(expected), "{domain}");
    }
}

#[test]
fn those_on_this_side_of_the_nat_are_told_the_own_address() {
    let outer = param("ext-sip-ip", "203.0.113.7") + &param("ext-sip-port", "5099");
    let server = Server::with(&(outer + &param("local-network-acl", "loopback.auto")));
    let mut callee = server.registered("1001");
    server.phone("1000").message_while("1001", "x", &mut [&mut callee]);
    let got = callee.receive();
    let (message, own) = (parsed(&got), server.addr());
    assert_eq!(message.via().unwrap().host, own.ip().to_string().as_bytes());
    assert_eq!(message.via().unwrap().port, Some(own.port()));
}

#[test]
fn behind_nat_others_are_told_the_outer_address() {
    let outer = param("ext-sip-ip", "203.0.113.7") + &param("ext-sip-port", "5099");
    let server = Server::with(&(outer + &param("fire-message-events", "true")));
    let mut callee = server.registered("1001");
    server.phone("1000").message_while("1001", "x", &mut [&mut callee]);
    let got = callee.receive();
    assert_eq!(parsed(&got).via().unwrap().host, b"203.0.113.7");
    assert_eq!(parsed(&got).via().unwrap().port, Some(5099));
    assert_eq!(received(&server, "login").as_deref(), Some("sip:mod_sofia@203.0.113.7:5099"));
    // It is a name of ours.
    let to = "sip:1001@203.0.113.7";
    assert_eq!(status(&server.phone("1000").authenticated("MESSAGE", to, to, "", "x")), 202);
}
