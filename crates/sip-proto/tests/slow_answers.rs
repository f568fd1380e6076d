//! What a server says while its user thinks, RFC 4320.

mod agent;

use std::time::Duration;

use agent::{Server, request};
use chappe_sip_proto::{Limits, Received, Response, Transport};

fn message() -> Vec<u8> {
    request("MESSAGE", "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bKa", "c", 1)
}

#[test]
fn a_100_comes_when_timer_e_reaches_t2() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut server = Server::new(Limits::default());
        server.source.transport = transport;
        let id = server.accept(&message());
        server.wait(Duration::from_millis(3499));
        assert_eq!(server.sent_codes(), [] as [u16; 0]);
        server.wait(Duration::from_millis(1));
        assert_eq!(server.sent_codes(), [100]);
        server.receive(&message());
        assert_eq!(server.sent_codes(), [100], "in Proceeding a retransmission is answered");
        server.respond(id, Response::new(200));
        server.wait(Duration::from_secs(60));
        assert_eq!(server.sent_codes(), [200]);
    }
}

#[test]
fn no_100_on_datagrams_before_that_and_no_other_provisional_answer() {
    let mut server = Server::new(Limits::default());
    let id = server.accept(&message());
    server.respond(id, Response::new(100));
    server.respond(id, Response::new(183));
    assert_eq!(server.sent_codes(), [] as [u16; 0]);
    server.source.transport = Transport::Tcp;
    let other = request("MESSAGE", "SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKb", "d", 1);
    let id = server.accept(&other);
    server.respond(id, Response::new(183));
    server.respond(id, Response::new(100));
    assert_eq!(server.sent_codes(), [100]);
}

#[test]
fn a_408_is_not_sent() {
    let mut server = Server::new(Limits::default());
    let id = server.accept(&message());
    server.respond(id, Response::new(408));
    assert_eq!(server.receive(&message()), Received::Absorbed);
    server.wait(Duration::from_secs(60));
    assert_eq!(server.sent_codes(), [] as [u16; 0]);
    assert_eq!(server.transactions.server_count(), 0);
}

#[test]
fn a_request_that_nobody_answers_is_forgotten() {
    let mut server = Server::new(Limits::default());
    let id = server.accept(&message());
    server.wait(Duration::from_secs(32));
    assert_eq!(server.transactions.server_count(), 0);
    assert_eq!(server.transactions.counters().unanswered, 1);
    server.sent();
    server.respond(id, Response::new(200));
    assert_eq!(server.sent_codes(), [] as [u16; 0]);
    assert_eq!(server.transactions.poll_timeout(), None);
}
