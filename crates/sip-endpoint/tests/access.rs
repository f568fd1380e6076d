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
