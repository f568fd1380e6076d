//! What is kept arrives as it was sent, once, in its order, until it runs out.

use std::time::Duration;

use chappe_interop::{Agent, Folder, Server, TEXT};

use crate::{registered, report, reports, server};

const CPIM: &str = "From: <sip:1000@127.0.0.1>\r\nTo: <sip:1001@127.0.0.1>\r\nDateTime: 2026-01-05T10:00:00Z\r\n\r\n\
                    Content-Type: text/plain;charset=utf-8\r\n\r\nwrapped";
/// How soon what waits for somebody who has just registered is to be there.
const SOON: Duration = Duration::from_secs(2);

#[test]
fn somebody_who_was_away_gets_what_was_sent() {
    let server = server(Folder::new(), &[]);
    let every_octet: Vec<u8> = (0..=255).collect();
    let cases: [(&str, &[u8]); 7] = [
        ("text/plain;charset=UTF-8", TEXT.as_bytes()),
        ("text/plain; charset=iso-8859-1; format=flowed", b"caf\xe9"),
        ("text/plain", b""),
        ("text/plain", b"one\r\ntwo\n\n\tthree\r\n"),
        ("application/octet-stream", &every_octet),
        ("message/cpim", CPIM.as_bytes()),
        ("text/html;charset=utf-8", b"<p>&amp; ${body} $1 %00</p>"),
    ];
    let mut from = Agent::udp(server.sip(), "1000");
    for (content_type, body) in cases {
        assert_eq!(from.message(&server.uri("1001"), content_type, body), 202, "{content_type}");
    }
    let mut to = registered(&server, "1001");
    for (content_type, body) in cases {
        let received = to.receive_within(SOON);
        assert_eq!(received.body, body, "{content_type}");
        assert_eq!(received.header("Content-Type"), Some(content_type));
        assert!(received.header("From").is_some_and(|from| from.contains("sip:1000@")), "{}", received.head);
        assert!(received.header("To").is_some_and(|to| to.contains("sip:1001@")), "{}", received.head);
        assert_eq!(received.header("Message-ID").map(str::len), Some(32), "{}", received.head);
    }
    // Behind what waits, as long as its end is not written down, or at once.
    let status = from.message(&server.uri("1001"), "text/plain", b"live");
    assert!(matches!(status, 200 | 202), "{status}");
    assert_eq!(to.receive().text(), "live");
}

#[test]
fn what_waits_arrives_in_its_order() {
    let server = server(Folder::new(), &[]);
    let mut senders = [Agent::udp(server.sip(), "1000"), Agent::tcp(server.sip(), "1002")];
    for number in 0..50 {
        let text = number.to_string();
        assert_eq!(senders[number % 2].message(&server.uri("1001"), "text/plain", text.as_bytes()), 202);
    }
    let mut to = registered(&server, "1001");
    let received: Vec<_> = (0..50).map(|_| to.receive().text()).collect();
    assert_eq!(received, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn what_ran_out_does_not_arrive() {
    let server = server(Folder::new(), &[]);
    let mut reports = reports(&server);
    let mut from = Agent::udp(server.sip(), "1000");
    let lines = "Content-Type: text/plain\r\nExpires: 1\r\n";
    assert_eq!(from.message_with(&server.uri("1001"), lines, b"soon stale").status(), Some(202));
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"fresh"), 202);
    let id = report(&mut reports, "1001").header("Message-ID").to_owned();
    assert_eq!(report(&mut reports, "1001").header("Status"), "Accepted");
    let failure = report(&mut reports, "1001");
    assert_eq!(
        (failure.header("Status"), failure.header("Message-ID")),
        ("Failure", id.as_str()),
        "{failure:?}"
    );
    assert_eq!(failure.header("Delivery-Result-Code"), "408");
    let mut to = registered(&server, "1001");
    assert_eq!(to.receive_within(SOON).text(), "fresh");
}

#[test]
fn a_request_repeated_after_a_restart_arrives_once() {
    let folder = Folder::new();
    folder.trust_all();
    let server = server(folder, &[]);
    let mut from = Agent::udp(server.sip(), "1000");
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"once"), 202);
    assert_eq!(from.repeat().status(), Some(202), "repeated to the same process");
    let server = server.start_again();
    assert_eq!(from.repeat().status(), Some(202), "repeated to the next process");
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"the next"), 202);
    let mut reports = reports(&server);
    let mut to = registered(&server, "1001");
    for text in ["once", "the next"] {
        assert_eq!(to.receive_within(SOON).text(), text);
        assert_eq!(report(&mut reports, "1001").header("Status"), "Success");
    }
    let server = server.start_again();
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"the last"), 200);
    assert_eq!(to.receive().text(), "the last");
}

#[test]
fn a_restart_loses_neither_what_waits_nor_who_is_there() {
    let server = server(Folder::new(), &[]);
    let mut from = Agent::udp(server.sip(), "1000");
    let mut there = registered(&server, "1002");
    let mut there_by_tcp = Agent::tcp(server.sip(), "1003");
    assert_eq!(there_by_tcp.register(), 200);
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"before"), 202);
    let mut server = server.start_again();
    for round in 0..3 {
        assert_eq!(from.message(&server.uri("1002"), "text/plain", b"live"), 200, "round {round}");
        assert_eq!(there.receive().text(), "live");
        server = server.start_again();
    }
    // Its connection went with the first process.
    assert_eq!(from.message(&server.uri("1003"), "text/plain", b"for who was on TCP"), 202);
    let mut back = Agent::tcp(server.sip(), "1003");
    assert_eq!(back.register(), 200);
    assert_eq!(back.receive_within(SOON).text(), "for who was on TCP");
    let mut to = registered(&server, "1001");
    assert_eq!(to.receive_within(SOON).text(), "before");
}

#[test]
fn who_has_too_much_waiting_gets_no_more() {
    let server = server(Folder::new(), &[("max-waiting-per-user", "3")]);
    let mut from = Agent::udp(server.sip(), "1000");
    let statuses: Vec<_> =
        (0..5).map(|_| from.message(&server.uri("1001"), "text/plain", b"hello")).collect();
    assert_eq!(statuses, [202, 202, 202, 480, 480]);
    assert_eq!(from.message(&server.uri("1002"), "text/plain", b"to somebody else"), 202);
    let mut to = registered(&server, "1001");
    (0..3).for_each(|_| assert_eq!(to.receive_within(SOON).text(), "hello"));
    let status = from.message(&server.uri("1001"), "text/plain", b"there is room");
    assert!(matches!(status, 200 | 202), "{status}");
    assert_eq!(to.receive().text(), "there is room");
}

#[test]
fn all_full_is_answered_503() {
    let server = server(Folder::new(), &[("max-waiting", "1")]);
    let mut from = Agent::udp(server.sip(), "1000");
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"hello"), 202);
    let refused = from.message_with(&server.uri("1002"), "Content-Type: text/plain\r\n", b"hello");
    assert_eq!(refused.status(), Some(503));
    assert!(refused.header("Retry-After").is_some(), "{}", refused.head);
}

#[test]
fn without_a_store_nothing_is_promised() {
    let server = server(Folder::new(), &[("store", "none")]);
    let mut from = Agent::udp(server.sip(), "1000");
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"hello"), 480);
    let mut to = registered(&server, "1001");
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"live"), 200);
    assert_eq!(to.receive().text(), "live");
}

/// The default is a file in the folder of `db_dir`, which is below the configuration's folder here.
#[test]
fn the_store_is_a_file_in_db_dir() {
    let server: Server = server(Folder::new(), &[]);
    let mut from = Agent::udp(server.sip(), "1000");
    assert_eq!(from.message(&server.uri("1001"), "text/plain", b"hello"), 202);
    let file = server.folder.path().join("db/messages.db");
    assert!(file.is_file(), "{} is not there", file.display());
    let octets = std::fs::read(&file).expect("a readable file");
    assert!(octets.starts_with(b"SQLite format 3\0"));
}
