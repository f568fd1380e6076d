//! Whose queue a message is in, and who its recipient's device registers as, are the same.

mod fixture;

use chappe_event::{Event, EventName, header};
use fixture::phone::status;
use fixture::{Server, param};

fn recipient(server: &Server, to: &str) -> Option<String> {
    let mut message = Event::new(EventName::Message);
    message.set(header::TO, to);
    server.endpoint.recipient(&message)
}

/// Under these params a device registers as `to`, and each of `messages` is for it.
fn check(params: &str, to: &str, messages: &[&str]) {
    let server = Server::with(&(params.to_owned() + &param("accept-blind-reg", "true")));
    let before: Vec<_> = messages.iter().map(|message| recipient(&server, message)).collect();
    let mut phone = server.phone("1001");
    let contact = format!("Contact: <{}>\r\n", phone.contact());
    let answer = phone.transact(&phone.request("REGISTER", "sip:chat.test", to, &contact, ""));
    assert_eq!(status(&answer), 200, "{params} {to}");
    let registered = server.endpoint.registrations().remove(0);
    let aor = Some(format!("{}@{}", registered.user, registered.domain));
    for (message, before) in messages.iter().zip(before) {
        assert_eq!(recipient(&server, message), aor, "{params} {to} {message}");
        assert_eq!(before, aor, "{params} {to} {message}, before it was registered");
    }
}

#[test]
fn a_user_is_called_as_the_registrar_calls_it() {
    let domain = param("force-register-domain", "chat.test");
    let db_domain = param("force-register-db-domain", "DB.test");
    let both = domain.clone() + &db_domain;
    let same = ["1001@chat.test", "1001@CHAT.test", "internal/1001@chat.test", "%31001@chat.test"];
    check("", "sip:1001@chat.test", &same);
    check("", "sip:1001@CHAT.test:5070;x=1", &same);
    check("", "sip:2003@chat.test", &["1003@chat.test", "2003@chat.test"]);
    check("", "sip:nobody@chat.test", &["nobody@chat.test"]);
    check("", "sip:1001@127.0.0.1", &["1001@127.0.0.1", "1001", "internal/1001"]);
    check(&param("sip-domain", "chat.test"), "sip:1001@chat.test", &["1001", "1001@chat.test"]);
    check(&domain, "sip:1001@127.0.0.1", &["1001@chat.test", "1001@127.0.0.1", "1001", "1001@other.test"]);
    check(&domain, "sip:2003@elsewhere.test", &["1003@chat.test", "2003@127.0.0.1", "internal/2003"]);
    check(&db_domain, "sip:2003@chat.test", &["1003@chat.test", "2003@chat.test", "1003@db.test"]);
    check(&db_domain, "sip:1001@other.test", &["1001@other.test", "1001", "1001@127.0.0.1"]);
    check(&both, "sip:2003@127.0.0.1", &["1003@chat.test", "2003@chat.test", "2003@127.0.0.1"]);
}

#[test]
fn who_is_not_ours_is_called_by_the_address() {
    let server = Server::with(&param("force-register-domain", "chat.test"));
    let cases = [
        ("1001@Example.ORG", Some("1001@example.org")),
        ("internal/Bob@Example.ORG", Some("Bob@example.org")),
        ("sip:Bob@Example.org:5070;transport=tcp", Some("Bob@example.org")),
        ("internal/SIP:%42ob@192.0.2.1", Some("Bob@192.0.2.1")),
        ("sip:a b@h", None),
        ("nope/1001@chat.test", None),
        ("@chat.test", None),
        ("", None),
    ];
    for (to, want) in cases {
        assert_eq!(recipient(&server, to).as_deref(), want, "{to}");
    }
}

#[test]
fn a_user_under_another_domain_than_the_directory_s_is_found_by_each_of_its_names() {
    let server = Server::with(&param("force-register-db-domain", "db.test"));
    let mut callee = server.registered("1003");
    for name in ["1003", "2003"] {
        let answer = server.phone("1000").message_while(name, "hello", &mut [&mut callee]);
        assert_eq!(status(&answer), 200, "{name}");
    }
}
