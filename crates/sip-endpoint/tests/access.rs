//! What lists of addresses decide: who needs no password, who is a user by its address, who is kept out.

mod fixture;

use fixture::phone::{Incoming, Phone, status};
use fixture::{Server, param};

const TO: &str = "sip:1001@chat.test";

/// The answer to a MESSAGE without credentials.
fn bare_message(phone: &mut Phone) -> u16 {
    status(&phone.transact(&phone.request("MESSAGE", TO, TO, "", "x")))
}

/// The answer to a REGISTER without credentials.
fn bare_register(phone: &mut Phone, user: &str) -> Incoming {
    let (to, contact) = (format!("sip:{user}@chat.test"), format!("Contact: <{}>\r\n", phone.contact()));
    phone.transact(&phone.request("REGISTER", "sip:chat.test", &to, &contact, ""))
}

#[test]
fn who_no_inbound_list_allows_authenticates_or_is_refused() {
    for (auth, ip, expected) in [
        ("true", "127.0.0.2", 202),
        ("true", "127.0.0.3", 407),
        ("false", "127.0.0.2", 202),
        ("false", "127.0.0.3", 403),
    ] {
        let params = param("auth-messages", auth) + &param("apply-inbound-acl", "none");
        let server = Server::with(&(params + &param("apply-inbound-acl", "127.0.0.2/32")));
        assert_eq!(bare_message(&mut server.phone_at(ip, "1000")), expected, "{auth} {ip}");
    }
}

#[test]
fn a_register_list_denies_whom_one_of_them_does_not_allow() {
    let lists = param("apply-register-acl", "127.0.0.0/8") + &param("apply-register-acl", "not-three");
    for (blind, ip, expected) in [
        ("false", "127.0.0.2", 200),
        ("false", "127.0.0.3", 403),
        ("true", "127.0.0.2", 200),
        ("true", "127.0.0.3", 403),
    ] {
        let server = Server::with(&(param("accept-blind-reg", blind) + &lists));
        let mut phone = server.phone_at(ip, "7777");
        assert_eq!(status(&bare_register(&mut phone, "7777")), expected, "{blind} {ip}");
    }
}

#[test]
fn an_address_is_a_user() {
    let lists = param("apply-inbound-acl", "users") + &param("apply-register-acl", "users");
    let server = Server::with(&lists);
    let mut phone = server.phone_at("127.0.0.2", "1002");
    assert_eq!(bare_message(&mut phone), 202);
    phone.from = "<sip:1000@chat.test>".to_owned();
    assert_eq!(bare_message(&mut phone), 403, "another user's name in From");
    assert_eq!(status(&bare_register(&mut phone, "1002")), 200);
    assert_eq!(status(&bare_register(&mut phone, "1000")), 403, "another user's registration");
}

#[test]
fn a_user_authenticates_where_its_list_allows_it() {
    let server = Server::with("");
    assert_eq!(status(&server.phone_at("127.0.0.2", "1003").register(60)), 200);
    let mut phone = server.phone_at("127.0.0.3", "1003");
    assert_eq!(status(&phone.register(60)), 403);
    assert_eq!(status(&phone.message("1001", "x")), 403);
    phone.password = "wrong".to_owned();
    assert_eq!(status(&phone.register(60)), 403, "a wrong password is told apart from the right one");
}

/// The answer to a MESSAGE without credentials that has these headers.
fn message_with(phone: &mut Phone, headers: &str) -> u16 {
    status(&phone.transact(&phone.request("MESSAGE", TO, TO, headers, "x")))
}

#[test]
fn a_proxy_names_the_address_that_lists_look_at() {
    let lists = param("apply-inbound-acl", "192.0.2.0/24") + &param("apply-proxy-acl", "127.0.0.2/32");
    let server = Server::with(&lists);
    for (ip, headers, expected) in [
        ("127.0.0.2", "X-AUTH-IP: 192.0.2.7\r\n", 202),
        ("127.0.0.2", "x-auth-ip: 192.0.2.7\r\nX-AUTH-PORT: 5060\r\n", 202),
        ("127.0.0.2", "X-AUTH-IP: 198.51.100.7\r\n", 407),
        ("127.0.0.2", "X-AUTH-IP: 192.0.2.7x\r\n", 407),
        ("127.0.0.2", "", 407),
        // Which one is the proxy's?
        ("127.0.0.2", "X-AUTH-IP: 192.0.2.7\r\nX-AUTH-IP: 198.51.100.7\r\n", 407),
        // Anybody can write that.
        ("127.0.0.3", "X-AUTH-IP: 192.0.2.7\r\n", 407),
    ] {
        assert_eq!(message_with(&mut server.phone_at(ip, "1000"), headers), expected, "{ip} {headers}");
    }
}

#[test]
fn a_recipient_is_not_told_where_a_proxy_saw_the_sender() {
    let lists = param("apply-inbound-acl", "192.0.2.0/24") + &param("apply-proxy-acl", "127.0.0.2/32");
    let server = Server::with(&lists);
    let mut device = server.registered("1001");
    let mut proxy = server.phone_at("127.0.0.2", "1000");
    let headers = "X-AUTH-IP: 192.0.2.7\r\nx-auth-port: 5060\r\nX-Color: red\r\n";
    let request = proxy.request("MESSAGE", TO, TO, headers, "x");
    proxy.send_raw(request.as_bytes());
    let got = String::from_utf8_lossy(&device.receive()).to_lowercase();
    assert!(got.contains("x-color: red\r\n") && !got.contains("x-auth"), "{got}");
    assert_eq!(status(&proxy.response_to(&request)), 200);
}

#[test]
fn a_users_own_list_looks_at_the_address_that_a_proxy_names() {
    // 1003 may not authenticate at 127.0.0.3.
    for (proxies, headers, expected) in [
        ("127.0.0.3/32", "X-AUTH-IP: 192.0.2.7\r\n", 200),
        ("127.0.0.3/32", "X-AUTH-IP: 127.0.0.3\r\n", 403),
        ("127.0.0.3/32", "", 403),
        ("127.0.0.4/32", "X-AUTH-IP: 192.0.2.7\r\n", 403),
    ] {
        let server = Server::with(&param("apply-proxy-acl", proxies));
        let mut phone = server.phone_at("127.0.0.3", "1003");
        let contact = format!("Contact: <{}>\r\n{headers}", phone.contact());
        assert_eq!(status(&phone.register_contacts(&contact)), expected, "{proxies} {headers}");
    }
}

#[test]
fn those_behind_a_proxy_are_limited_one_by_one_and_it_is_not_banned_for_them() {
    let limits = [
        ("apply-proxy-acl", "127.0.0.2/32"),
        ("auth-messages", "false"),
        ("max-messages-per-ip", "1/60"),
        ("max-auth-failures", "1"),
        ("never-ban-acl", "none"),
    ];
    let params: String = limits.iter().map(|(name, value)| param(name, value)).collect();
    let server = Server::with(&params);
    let mut proxy = server.phone_at("127.0.0.2", "1000");
    for (ip, expected) in [("192.0.2.7", 202), ("192.0.2.7", 503), ("192.0.2.8", 202)] {
        assert_eq!(message_with(&mut proxy, &format!("X-AUTH-IP: {ip}\r\n")), expected, "{ip}");
    }
    proxy.password = "wrong".to_owned();
    for _ in 0..3 {
        assert_eq!(status(&proxy.register(60)), 401);
    }
}

#[test]
fn nobody_registers_where_that_is_forbidden() {
    let server = Server::with(&param("disable-register", "true"));
    assert_eq!(status(&server.phone("1000").register(60)), 403);
    for params in [String::new(), param("accept-blind-reg", "true")] {
        let server = Server::with(&params);
        let mut phone = server.phone("1008");
        assert_eq!(status(&phone.register(60)), 403, "{params}");
        assert_eq!(status(&phone.message("1001", "x")), 202);
    }
}

#[test]
fn credentials_of_an_invite_are_taken_where_that_is_asked_for() {
    for (broken, expected) in [("false", 407), ("true", 202)] {
        let server = Server::with(&param("NDLB-broken-auth-hash", broken));
        let mut phone = server.phone("1000");
        let challenge = phone.transact(&phone.request("MESSAGE", TO, TO, "", "x"));
        let made_for_invite = phone.credentials(&challenge, "INVITE", TO).expect("a challenge");
        assert_eq!(message_with(&mut phone, &made_for_invite), expected);
        let contact = format!("Contact: <{}>\r\n", phone.contact());
        let (uri, to) = ("sip:chat.test", "sip:1000@chat.test");
        let challenge = phone.transact(&phone.request("REGISTER", uri, to, &contact, ""));
        let made_for_invite = phone.credentials(&challenge, "INVITE", uri).expect("a challenge");
        let answer = phone.transact(&phone.request("REGISTER", uri, to, &(contact + &made_for_invite), ""));
        assert_eq!(status(&answer), 401, "a REGISTER's have to be its own");
    }
}

#[test]
fn options_tell_that_messages_are_refused_where_that_is_asked_for() {
    for (tells, expected) in [("false", 200), ("true", 503)] {
        let params = param("sip-options-respond-503-on-busy", tells)
            + &param("max-message-flows", "1")
            + &param("shards", "1")
            + &param("apply-inbound-acl", "loopback.auto");
        let server = Server::with(&params);
        let mut phone = server.phone("1000");
        let options = |phone: &mut Phone| {
            let request = phone.request("OPTIONS", "sip:chat.test", "sip:chat.test", "", "");
            status(&phone.transact(&request))
        };
        assert_eq!(options(&mut phone), 200, "there is room");
        let never_answered = phone.request("MESSAGE", TO, "sip:tar+x@chat.test", "", "x");
        phone.send_raw(never_answered.as_bytes());
        assert_eq!(options(&mut phone), expected);
    }
}
