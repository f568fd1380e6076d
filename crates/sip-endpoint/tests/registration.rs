//! REGISTER over real sockets.

mod fixture;

use chappe_sip_msg::HeaderName;
use fixture::phone::{Phone, header_text, parsed, status};
use fixture::{Server, param};

fn contacts(response: &[u8]) -> Vec<String> {
    let message = parsed(response);
    message.all(HeaderName::Contact).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

#[test]
fn digest_then_200_with_one_contact_and_a_date() {
    let server = Server::with("");
    let mut phone = server.phone("1000");
    let uri = "sip:chat.test";
    let contact = format!("Contact: <{}>\r\nExpires: 600\r\n", phone.contact());
    let challenge = phone.transact(&phone.request("REGISTER", uri, "sip:1000@chat.test", &contact, ""));
    assert_eq!(status(&challenge), 401);
    let text = header_text(&challenge, HeaderName::WwwAuthenticate);
    assert!(text.starts_with("Digest realm=\"chat.test\", nonce=\""), "{text}");
    assert!(text.ends_with("\", algorithm=MD5, qop=\"auth\""), "{text}");
    let ok = phone.register_contacts(&contact);
    assert_eq!(status(&ok), 200);
    assert_eq!(contacts(&ok), [format!("<{}>;expires=600", phone.contact())]);
    assert_eq!(header_text(&ok, HeaderName::Date), "Mon, 21 Sep 2026 14:13:20 GMT");
    assert_eq!(server.seen.count("sofia::register"), 1);
}

#[test]
fn wrong_credentials_are_challenged_again() {
    let server = Server::with("");
    let mut phone = server.phone("1000");
    phone.password = "wrong".to_owned();
    let refused = phone.register(600);
    assert_eq!(status(&refused), 401);
    assert!(!header_text(&refused, HeaderName::WwwAuthenticate).contains("stale"));
    assert_eq!(server.seen.count("sofia::register_failure"), 1);
    let mut nobody = server.phone("2000");
    assert_eq!(status(&nobody.register(600)), 401);
}

#[test]
fn sha_256_is_offered_second_and_taken() {
    let server = Server::with(&param("challenge-algorithms", "MD5,SHA-256"));
    let mut phone = server.phone("1000");
    let challenge = phone.transact(&phone.request("REGISTER", "sip:chat.test", "sip:1000@chat.test", "", ""));
    let message = parsed(&challenge);
    let all: Vec<_> = message.all(HeaderName::WwwAuthenticate).collect();
    assert_eq!(all.len(), 2);
    assert!(String::from_utf8_lossy(all[1]).contains("algorithm=SHA-256"));
    assert_eq!(status(&phone.register(600)), 200);
}

#[test]
fn contacts_add_up_are_fetched_and_removed() {
    let server = Server::with("");
    let mut phone = server.phone("1000");
    let two =
        "Contact: <sip:1000@127.0.0.1:7001>;expires=100;q=0.5, <sip:1000@127.0.0.1:7002>;expires=200\r\n";
    assert_eq!(contacts(&phone.register_contacts(two)).len(), 2);
    let fetched = contacts(&phone.register_contacts(""));
    assert_eq!(
        fetched,
        ["<sip:1000@127.0.0.1:7001>;q=0.500;expires=100", "<sip:1000@127.0.0.1:7002>;expires=200"]
    );
    let one = phone.register_contacts("Contact: <sip:1000@127.0.0.1:7001>;expires=0\r\n");
    assert_eq!(contacts(&one), ["<sip:1000@127.0.0.1:7002>;expires=200"]);
    let bad = phone.register_contacts("Contact: *\r\nExpires: 10\r\n");
    assert_eq!(status(&bad), 400);
    let none = phone.register_contacts("Contact: *\r\nExpires: 0\r\n");
    assert_eq!((status(&none), contacts(&none).len()), (200, 0));
    assert_eq!(server.seen.count("sofia::unregister"), 2);
    assert_eq!(server.api("sofia_contact 1000@chat.test"), "error/user_not_registered");
}

#[test]
fn nobody_registers_as_somebody_else() {
    let server = Server::with("");
    let mut phone = server.phone("1000");
    let refused =
        phone.authenticated("REGISTER", "sip:chat.test", "sip:1001@chat.test", "Contact: <sip:x@h>\r\n", "");
    assert_eq!(status(&refused), 403);
    let lax = Server::with(&param("inbound-reg-force-matching-username", "false"));
    let mut phone = lax.phone("1000");
    let taken =
        phone.authenticated("REGISTER", "sip:chat.test", "sip:1001@chat.test", "Contact: <sip:x@h>\r\n", "");
    assert_eq!(status(&taken), 200);
}

#[test]
fn blind_and_listed_registrations_need_no_password() {
    for params in [param("accept-blind-reg", "true"), param("apply-register-acl", "127.0.0.0/8")] {
        let server = Server::with(&params);
        let mut phone = server.phone("7777");
        let uri = "sip:chat.test";
        let request = phone.request("REGISTER", uri, "sip:7777@chat.test", "Contact: <sip:7777@h>\r\n", "");
        assert_eq!(status(&phone.transact(&request)), 200);
        let other = phone.request("MESSAGE", "sip:1000@chat.test", "sip:1000@chat.test", "", "x");
        assert_eq!(status(&phone.transact(&other)), 407);
    }
}

#[test]
fn expiry_follows_the_profile() {
    let cases = [
        ("sip-force-expires", "99", 600, "99"),
        ("sip-force-expires-min", "700", 600, "700"),
        ("sip-force-expires-max", "300", 600, "300"),
    ];
    for (name, value, asked, granted) in cases {
        let server = Server::with(&param(name, value));
        let ok = server.phone("1000").register(asked);
        let contact = contacts(&ok).remove(0);
        assert!(contact.ends_with(&format!(";expires={granted}")), "{name}: {contact}");
    }
    let server = Server::with(&param("registration-min-expires", "60"));
    let brief = server.phone("1000").register(10);
    assert_eq!((status(&brief), &*header_text(&brief, HeaderName::MinExpires)), (423, "60"));
}

#[test]
fn one_binding_or_several_as_the_profile_says() {
    let count = |params: &str| {
        let server = Server::with(params);
        let answers: Vec<_> = (0..3).map(|_| status(&server.phone("1000").register(600))).collect();
        (answers, server.endpoint.registrations().len())
    };
    assert_eq!(count(&param("multiple-registrations", "false")), (vec![200; 3], 1));
    assert_eq!(count(&param("multiple-registrations", "contact")), (vec![200; 3], 3));
    let limited = param("max-registrations-per-extension", "2");
    assert_eq!(count(&limited), (vec![200, 200, 403], 2));
}

#[test]
fn a_user_may_have_fewer_bindings_than_the_profile_says() {
    let server = Server::with(&param("max-registrations-per-extension", "2"));
    let answers = ["1007", "1000"].map(|user| {
        let register = || status(&register_as(&mut server.phone(user), "Good/1"));
        [register(), register(), register()]
    });
    assert_eq!(answers, [[200, 403, 403], [200, 200, 403]]);
}

#[test]
fn a_device_registers_whose_user_agent_is_let_in() {
    let server = Server::with("");
    let code = |user: &str, agent| status(&register_as(&mut server.phone(user), agent));
    assert_eq!(["Good/7", "Good/x", ""].map(|agent| code("1007", agent)), [200, 403, 403]);
    assert_eq!(code("1000", "Good/x"), 200);
    let server = Server::with(&param("user-agent-filter", "/^acme/i"));
    let code = |user: &str, agent| status(&register_as(&mut server.phone(user), agent));
    assert_eq!(["Acme 9", "Other"].map(|agent| code("1000", agent)), [200, 403]);
    // The user's own comes first.
    assert_eq!(["Good/7", "Acme 9"].map(|agent| code("1007", agent)), [200, 403]);
    assert!(server.api("sofia status profile internal").contains("USER-AGENT-FILTER"), "it is shown");
}

fn register_as(phone: &mut Phone, agent: &str) -> Vec<u8> {
    let contact = format!("Contact: <{}>\r\nUser-Agent: {agent}\r\n", phone.contact());
    phone.register_contacts(&contact)
}

#[test]
fn a_path_is_kept_and_given_back() {
    let server = Server::with("");
    let mut edge = server.phone("edge");
    let mut phone = server.phone("1000");
    let path = format!("<sip:{};lr>", edge.addr());
    let ok = phone
        .register_contacts(&format!("Contact: <sip:1000@192.0.2.1>\r\nPath: {path}\r\nSupported: path\r\n"));
    assert_eq!(header_text(&ok, HeaderName::Path), path);
    let answer = server.phone("1001").message_while("1000", "by the edge", &mut [&mut edge]);
    assert_eq!(status(&answer), 200);
    let received = edge.receive();
    let received = parsed(&received);
    assert_eq!(received.uri_text(), b"sip:1000@192.0.2.1");
    assert_eq!(received.first(HeaderName::Route), Some(path.as_bytes()));
}

#[test]
fn a_path_is_not_given_back_to_a_device_that_does_not_know_it() {
    let server = Server::with("");
    let ok = server
        .phone("1000")
        .register_contacts("Contact: <sip:1000@192.0.2.1>\r\nPath: <sip:192.0.2.2;lr>\r\n");
    assert_eq!((status(&ok), &*header_text(&ok, HeaderName::Path)), (200, ""));
}

#[test]
fn what_the_registrar_keeps_is_bounded() {
    let server = Server::with(&(param("max-registrations", "2") + &param("accept-blind-reg", "true")));
    let register = |user: &str, contact: &str| {
        let mut phone = server.phone(user);
        phone.register_contacts(&format!("Contact: <{contact}>\r\n"))
    };
    assert_eq!(status(&register("a", "sip:a@h")), 200);
    assert_eq!(status(&register("b", &format!("sip:b@h;x={}", "x".repeat(5_000)))), 400);
    assert_eq!(status(&register("b", "sip:b@h")), 200);
    let full = register("c", "sip:c@h");
    assert_eq!((status(&full), &*header_text(&full, HeaderName::RetryAfter)), (503, "60"));
    assert_eq!(status(&register("b", "sip:b@h")), 200);
    assert_eq!(server.endpoint.registrations().len(), 2);
}

#[test]
fn ipv6_profiles_work_alike() {
    let profile = fixture::profile("internal", &param("sip-ip", "::1"));
    let server = Server::profiles(&profile);
    let mut callee = server.registered("1001");
    let mut caller: Phone = server.registered("1000");
    assert_eq!(status(&caller.message_while("1001", "hello", &mut [&mut callee])), 200);
    assert!(callee.receive().ends_with(b"hello"));
}
