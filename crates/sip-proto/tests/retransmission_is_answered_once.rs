//! A request that comes again never reaches the user again, and gets the same answer.

mod agent;

use std::time::Duration;

use agent::{Server, request};
use chappe_sip_proto::{Limits, Received, Response, Timing, Transport};

const VIA: &str = "SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKa";

fn message() -> Vec<u8> {
    request("MESSAGE", VIA, "c1", 1)
}

#[test]
fn before_the_answer_it_is_dropped() {
    let mut server = Server::new(Limits::default());
    server.accept(&message());
    for _ in 0..3 {
        server.wait(Duration::from_millis(500));
        assert_eq!(server.receive(&message()), Received::Absorbed);
    }
    assert_eq!(server.sent(), Vec::<String>::new());
    assert_eq!(server.transactions.counters().retransmissions, 3);
}

#[test]
fn after_the_answer_it_gets_the_same_bytes() {
    for response in [
        Response::new(200),
        Response::new(202).reason("Stored"),
        Response::new(401).header("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\""),
        Response::new(415).header("Accept", "text/plain").body("text/plain", "no"),
    ] {
        let mut server = Server::new(Limits::default());
        let id = server.accept(&message());
        server.respond(id, response.clone());
        let first = server.sent();
        assert_eq!(first.len(), 1);
        server.wait(Duration::from_secs(31));
        assert_eq!(server.receive(&message()), Received::Absorbed);
        assert_eq!(server.sent(), first, "{response:?}");
    }
}

#[test]
fn only_the_first_final_answer_counts() {
    let mut server = Server::new(Limits::default());
    let id = server.accept(&message());
    for code in [404, 200, 100, 503] {
        server.respond(id, Response::new(code));
    }
    assert_eq!(server.sent_codes(), [404]);
    server.receive(&message());
    assert_eq!(server.sent_codes(), [404]);
}

#[test]
fn after_timer_j_it_is_a_new_request() {
    let mut server = Server::new(Limits::default());
    let id = server.accept(&message());
    server.respond(id, Response::new(200));
    let first = server.sent();
    server.wait(Timing::default().t1x64);
    assert_eq!(server.transactions.server_count(), 0);
    let again = server.accept(&message());
    assert_ne!(again, id);
    server.respond(id, Response::new(404));
    assert_eq!(server.sent(), Vec::<String>::new(), "the old transaction's user answers nothing");
    server.respond(again, Response::new(200));
    assert_eq!(server.sent(), first, "the To tag follows from the request");
}

#[test]
fn a_reliable_transport_needs_no_timer_j() {
    let mut server = Server::new(Limits::default());
    server.source.transport = Transport::Tcp;
    let id = server.accept(&message());
    server.respond(id, Response::new(200).header("X-A", "b"));
    assert_eq!(server.sent_codes(), [200]);
    assert_eq!(server.transactions.server_count(), 0);
}

#[test]
fn the_answer_goes_to_where_the_retransmission_came_from() {
    let mut server = Server::new(Limits::default());
    let id = server.accept(&message());
    server.respond(id, Response::new(200));
    server.sent();
    server.source.addr = "198.51.100.9:7777".parse().unwrap();
    server.receive(&message());
    let sent = server.sent();
    assert!(sent[0].contains("received=198.51.100.9") && sent[0].contains("rport=7777"), "{}", sent[0]);
}

#[test]
fn an_answer_that_is_not_kept_is_challenged_anew_or_made_plain() {
    let limits = Limits { kept_bytes: 100, ..Limits::default() };
    let mut server = Server::new(limits);
    let challenge = Response::new(401).header("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\"");
    let id = server.accept(&message());
    server.respond(id, challenge);
    server.accept(&message());
    let other = request("MESSAGE", &VIA.replace("bKa", "bKb"), "c2", 1);
    let id = server.accept(&other);
    server.respond(id, Response::new(480).header("Retry-After", "5"));
    assert_eq!(server.receive(&other), Received::Absorbed);
    let sent = server.sent();
    assert!(sent[0].contains("WWW-Authenticate") && sent[1].contains("Retry-After"));
    assert!(sent[2].starts_with("SIP/2.0 480 ") && !sent[2].contains("Retry-After"));
    assert_eq!(server.transactions.counters().not_kept, 2);
}
