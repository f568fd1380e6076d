//! How much one address and one user may do, and who is not listened to.

mod fixture;

use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use chappe_sip_msg::HeaderName;
use fixture::phone::{Phone, header_text, status};
use fixture::{Server, param};

const TO: &str = "sip:1001@chat.test";

fn options(phone: &mut Phone) -> Vec<u8> {
    phone.transact(&phone.request("OPTIONS", "sip:chat.test", "sip:chat.test", "", ""))
}

/// Whether a request gets no answer.
fn is_unheard(phone: &mut Phone) -> bool {
    let request = phone.request("OPTIONS", "sip:chat.test", "sip:chat.test", "", "");
    phone.send_raw(request.as_bytes());
    !phone.pump(Duration::from_millis(150))
}

/// The status, if its Retry-After names seconds of this range.
fn refusal(answer: &[u8], most: u32) -> u16 {
    let seconds: u32 = header_text(answer, HeaderName::RetryAfter).parse().expect("seconds");
    assert!((1..=most).contains(&seconds), "{seconds}");
    status(answer)
}

fn shown(server: &Server, name: &str) -> String {
    let status = server.api("sofia status profile internal");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line of that name");
    line.trim().to_owned()
}

#[test]
fn an_address_sends_so_many_requests() {
    let server = Server::with(&param("max-requests-per-ip", "3/60"));
    let (mut phone, mut again) = (server.phone_at("127.0.0.2", "1000"), server.phone_at("127.0.0.2", "1001"));
    for _ in 0..2 {
        assert_eq!(status(&options(&mut phone)), 200);
    }
    assert_eq!(status(&options(&mut again)), 200);
    assert_eq!(refusal(&options(&mut again), 20), 503);
    assert_eq!(refusal(&options(&mut phone), 20), 503);
    assert_eq!(status(&options(&mut server.phone("1002"))), 200, "another address");
    assert_eq!(shown(&server, "LIMITED-IN"), "2");
}

#[test]
fn trusted_addresses_send_any_number() {
    for (param_name, trusts) in [
        ("max-requests-per-ip", "apply-inbound-acl"),
        ("max-messages-per-ip", "apply-inbound-acl"),
        ("max-registers-per-ip", "apply-inbound-acl"),
    ] {
        let lists = param(trusts, "127.0.0.2/32") + &param("apply-register-acl", "loopback.auto");
        let server = Server::with(&(lists + &param(param_name, "1/60")));
        let mut phone = server.phone_at("127.0.0.2", "1000");
        for _ in 0..3 {
            assert_eq!(status(&phone.register(60)), 200, "{param_name}");
            assert_eq!(status(&phone.message("1001", "x")), 202, "{param_name}");
        }
    }
}

#[test]
fn an_address_sends_so_many_messages() {
    let server = Server::with(&(param("auth-messages", "false") + &param("max-messages-per-ip", "2/60")));
    let mut phone = server.phone("1000");
    for _ in 0..2 {
        assert_eq!(status(&phone.message("1001", "x")), 202);
    }
    assert_eq!(refusal(&phone.message("1001", "x"), 30), 503);
    assert_eq!(status(&options(&mut phone)), 200, "other requests");
    assert_eq!(status(&server.phone_at("127.0.0.2", "1000").message("1001", "x")), 202);
}

#[test]
fn a_challenge_is_no_message() {
    let server = Server::with(&param("max-messages-per-ip", "2/60"));
    let mut phone = server.phone("1000");
    for expected in [202, 202, 503] {
        assert_eq!(status(&phone.message("1001", "x")), expected);
    }
}

#[test]
fn a_repeated_message_counts_once() {
    let server = Server::with(&(param("auth-messages", "false") + &param("max-messages-per-ip", "1/60")));
    let mut phone = server.phone("1000");
    let request = phone.request("MESSAGE", TO, TO, "", "x");
    for _ in 0..3 {
        assert_eq!(status(&phone.transact(&request)), 202);
    }
}

#[test]
fn a_user_sends_so_many_messages_from_wherever() {
    let server = Server::with(&param("max-messages-per-user", "2/60"));
    let mut phone = server.phone("1003");
    assert_eq!(status(&phone.message("1001", "x")), 202);
    assert_eq!(status(&server.phone_at("127.0.0.2", "1003").message("1001", "x")), 202);
    // 2003 is a name of 1003.
    let mut alias = server.phone("2003");
    assert_eq!(refusal(&alias.message("1001", "x"), 30), 480);
    assert_eq!(refusal(&phone.message("1001", "x"), 30), 480);
    assert_eq!(status(&server.phone("1000").message("1001", "x")), 202, "another user");
}

#[test]
fn an_address_registers_so_often() {
    let server = Server::with(&param("max-registers-per-ip", "2/60"));
    let mut phone = server.phone("1000");
    assert_eq!(status(&phone.register(60)), 200, "a challenge and its answer");
    assert_eq!(refusal(&phone.register(60), 30), 503);
    assert_eq!(status(&phone.message("1001", "x")), 202);
}

/// Bans after two failures, loopback too.
fn strict() -> String {
    param("max-auth-failures", "2") + &param("never-ban-acl", "none")
}

#[test]
fn who_guesses_passwords_is_not_listened_to() {
    let server = Server::with(&strict());
    let mut phone = server.phone_at("127.0.0.2", "1000");
    phone.password = "wrong".to_owned();
    for _ in 0..2 {
        assert_eq!(status(&phone.register(60)), 401);
        assert!(!is_unheard(&mut phone));
        phone.final_response();
    }
    phone.register(60);
    assert_eq!(server.seen.count("sofia::ban"), 1);
    assert!(is_unheard(&mut phone));
    assert!(is_unheard(&mut server.phone_at("127.0.0.2", "1001")), "its neighbour");
    assert_eq!(status(&options(&mut server.phone_at("127.0.0.3", "1001"))), 200);
    assert_eq!(shown(&server, "KEPT-OUT-IN"), "2");
    assert!(server.api("sofia_bans").starts_with("127.0.0.2 2"), "{}", server.api("sofia_bans"));
    assert_eq!(server.api("sofia_bans lift 127.0.0.2"), "+OK 127.0.0.2 lifted\n");
    assert_eq!(status(&options(&mut phone)), 200);
    assert_eq!(server.api("sofia_bans list"), "0 total.\n");
}

#[test]
fn a_forged_address_bans_nobody() {
    let server = Server::with(&strict());
    let (mut attacker, mut victim) =
        (server.phone_at("127.0.0.2", "1000"), server.phone_at("127.0.0.3", "1000"));
    attacker.password = "wrong".to_owned();
    let request = attacker.request("MESSAGE", TO, TO, "", "x");
    let challenge = attacker.transact(&request);
    let credentials = attacker.credentials(&challenge, "MESSAGE", TO).unwrap();
    // What the attacker sends under the victim's address: credentials that answer a challenge which went elsewhere.
    for _ in 0..10 {
        let forged = victim.request("MESSAGE", TO, TO, &credentials, "x");
        assert_eq!(status(&victim.transact(&forged)), 407);
    }
    for _ in 0..10 {
        let made_up = credentials.replace("nonce=\"", "nonce=\"00");
        let forged = victim.request("MESSAGE", TO, TO, &made_up, "x");
        assert_eq!(status(&victim.transact(&forged)), 407);
    }
    assert_eq!(server.api("sofia_bans"), "0 total.\n");
}

#[test]
fn this_machine_is_not_banned_unless_told() {
    let server = Server::with(&param("max-auth-failures", "1"));
    let mut phone = server.phone("1000");
    phone.password = "wrong".to_owned();
    for _ in 0..5 {
        assert_eq!(status(&phone.register(60)), 401);
    }
    let server = Server::with(&(strict() + &param("max-auth-failures", "0")));
    let mut phone = server.phone("1000");
    phone.password = "wrong".to_owned();
    for _ in 0..5 {
        assert_eq!(status(&phone.register(60)), 401, "0 is never");
    }
}

/// Whether the other end has closed it.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    match stream.read(&mut [0; 64]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn connections_of_a_banned_address_end() {
    let server = Server::with("");
    let addr: SocketAddr = server.at("tcp");
    let mut open = TcpStream::connect(addr).unwrap();
    let mut phone = server.tcp_phone("1000");
    assert_eq!(status(&options(&mut phone)), 200);
    assert_eq!(server.api("sofia_bans add 127.0.0.1 60"), "+OK 127.0.0.1 banned for 60 seconds\n");
    assert!(is_closed(&mut open));
    assert!(is_closed(&mut TcpStream::connect(addr).unwrap()), "a new one");
    assert_eq!(server.api("sofia_bans lift all"), "+OK 1 lifted\n");
    assert_eq!(status(&options(&mut server.tcp_phone("1000"))), 200);
}

#[test]
fn orders_about_bans_that_make_no_sense_are_refused() {
    let server = Server::with("");
    for (line, expected) in [
        ("sofia_bans add here", "-ERR here is not an IP address\n"),
        ("sofia_bans add 192.0.2.1 0", "-ERR 0 is not 1 to 31536000 seconds\n"),
        ("sofia_bans lift 192.0.2.1", "-ERR 192.0.2.1 is not banned\n"),
        ("sofia_bans nonsense", "-USAGE: [list] | add <ip> [<seconds>] | lift <ip> | lift all\n"),
    ] {
        assert_eq!(server.api(line), expected, "{line}");
    }
    server.api("sofia_bans add 2001:db8::7");
    assert!(server.api("sofia_bans").starts_with("2001:db8::/64 2"));
    assert_eq!(server.api("sofia_bans lift 2001:db8::/64"), "+OK 2001:db8:: lifted\n");
}

#[test]
fn who_a_list_denies_is_not_served() {
    let server = Server::with(&param("apply-access-acl", "not-three"));
    assert!(is_unheard(&mut server.phone_at("127.0.0.3", "1000")));
    assert_eq!(status(&options(&mut server.phone_at("127.0.0.2", "1000"))), 200);
    assert_eq!(shown(&server, "KEPT-OUT-IN"), "1");
    let server = Server::with(&(param("apply-access-acl", "not-three") + &param("access-acl-answer", "403")));
    assert_eq!(status(&options(&mut server.phone_at("127.0.0.3", "1000"))), 403);
    let server = Server::with(&param("apply-access-acl", "none"));
    assert!(is_closed(&mut TcpStream::connect(server.at("tcp")).unwrap()));
}
