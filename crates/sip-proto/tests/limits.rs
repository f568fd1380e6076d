//! Beyond the limits requests are refused and memory stays.

mod agent;

use std::time::Duration;

use agent::{Server, addr, request};
use bytes::Bytes;
use chappe_sip_proto::{Limits, Peer, Received, Response, ServerId};
use proptest::prelude::*;

fn message(number: usize) -> Vec<u8> {
    request(
        "MESSAGE",
        &format!("SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK{number}"),
        &format!("c{number}"),
        1,
    )
}

#[test]
fn too_many_requests_are_refused_alike_each_time() {
    let mut server = Server::new(Limits { servers: 3, ..Limits::default() });
    let first = server.accept(&message(0));
    server.accept(&message(1));
    server.accept(&message(2));
    assert_eq!(server.receive(&message(3)), Received::Refused(503));
    assert_eq!(server.receive(&message(3)), Received::Refused(503));
    let sent = server.sent();
    assert!(sent[0].starts_with("SIP/2.0 503 ") && sent[0] == sent[1], "{sent:?}");
    assert_eq!(server.receive(&message(2)), Received::Absorbed, "what is known is not refused");
    server.respond(first, Response::new(200));
    server.wait(Duration::from_secs(32));
    server.accept(&message(3));
    assert_eq!(server.transactions.counters().refused, 2);
}

#[test]
fn too_many_requests_of_ours_end_at_once() {
    let mut server = Server::new(Limits { clients: 2, ..Limits::default() });
    for number in 0..3 {
        let branch = server.transactions.new_branch();
        let bytes = Bytes::from(message(number));
        server.transactions.request(server.now, branch, bytes, Peer::udp(addr(2)));
    }
    let sent = server.sent();
    assert_eq!((sent.len(), sent[2].as_str()), (3, "TooMany"));
    assert_eq!(server.transactions.client_count(), 2);
    assert_eq!(server.transactions.counters().not_sent, 1);
}

#[test]
fn stateless_answers_leave_nothing_behind() {
    let mut server = Server::new(Limits::default());
    let bytes = message(0);
    let parsed = chappe_sip_msg::parse(&bytes).unwrap();
    let busy = Response::new(503).header("Retry-After", "3");
    for _ in 0..2 {
        server.transactions.answer_statelessly(&parsed, server.source, &busy);
    }
    let ack = request("ACK", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa", "c", 1);
    server.transactions.answer_statelessly(&chappe_sip_msg::parse(&ack).unwrap(), server.source, &busy);
    let sent = server.sent();
    assert_eq!(sent.len(), 2, "an ACK is not answered");
    assert!(sent[0] == sent[1] && sent[0].contains("\r\nRetry-After: 3\r\n"), "{sent:?}");
    assert_eq!((server.transactions.server_count(), server.transactions.poll_timeout()), (0, None));
}

#[test]
fn who_shows_no_credentials_is_not_remembered() {
    let mut server = Server::new(Limits::default());
    for _ in 0..2 {
        let id = server.accept(&message(0));
        server.transactions.respond_and_forget(
            server.now,
            id,
            Response::new(401).header("WWW-Authenticate", "Digest"),
        );
        assert_eq!(server.sent_codes(), [401]);
        assert_eq!(server.transactions.server_count(), 0);
    }
    let via = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKi";
    let id = server.accept(&request("INVITE", via, "i", 1));
    server.transactions.respond_and_forget(server.now, id, Response::new(407));
    assert_eq!(server.transactions.server_count(), 1, "its answer is repeated until the ACK");
    server.wait(Duration::from_secs(100));
    assert_eq!(server.transactions.poll_timeout(), None);
}

/// Also of a process that was stopped for a while and has other things to do now.
#[test]
fn very_many_finished_requests_are_forgotten_at_once() {
    const COUNT: usize = 50_000;
    let mut server = Server::new(Limits::default());
    for number in 0..COUNT {
        let id = server.accept(&message(number));
        server.respond(id, Response::new(200));
    }
    assert_eq!(server.transactions.server_count(), COUNT);
    server.transactions.handle_timeout(server.now + Duration::from_secs(100));
    assert_eq!((server.transactions.server_count(), server.transactions.poll_timeout()), (0, None));
}

/// Also between two eighths of a second, by which it is counted.
#[test]
fn a_finished_request_is_known_for_timer_j_and_hardly_longer() {
    for millis in [0, 1, 60, 124, 125, 126, 1000] {
        let mut server = Server::new(Limits::default());
        server.receive(&message(0));
        server.wait(Duration::from_millis(millis));
        let id = server.accept(&message(1));
        server.respond(id, Response::new(200));
        server.wait(Duration::from_millis(31_999));
        assert_eq!(server.receive(&message(1)), Received::Absorbed, "after {millis} ms");
        server.wait(Duration::from_millis(250));
        assert!(matches!(server.receive(&message(1)), Received::Request(_)), "after {millis} ms");
    }
}

proptest! {
    /// Whatever comes in whatever order, the limits hold, and in the end nothing is left.
    #[test]
    fn nothing_is_left_in_the_end(
        steps in prop::collection::vec((0..5_u8, 0..12_usize, 100..700_u16, 0..4000_u64), 1..80),
    ) {
        let mut server = Server::new(Limits { servers: 5, clients: 3, kept_bytes: 1000, ..Limits::default() });
        let mut open: Vec<ServerId> = Vec::new();
        for (step, number, code, pause) in steps {
            let via = format!("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{}", number / 2);
            let method = ["MESSAGE", "INVITE", "ACK"][usize::from(step) % 3];
            match step {
                0..3 => match server.receive(&request(method, &via, &format!("c{}", number / 3), 1)) {
                    Received::Request(id) => open.push(id),
                    Received::Absorbed | Received::Merged | Received::Refused(503) | Received::Stray => {}
                    other => prop_assert!(false, "{other:?}"),
                },
                3 if !open.is_empty() => {
                    let response = Response::new(code).header("X-Number", number.to_string());
                    server.respond(open[number % open.len()], response);
                }
                _ => {
                    let branch = server.transactions.new_branch();
                    let bytes = Bytes::from(message(number));
                    server.transactions.request(server.now, branch, bytes, Peer::udp(addr(2)));
                }
            }
            server.wait(Duration::from_millis(pause));
            prop_assert!(server.transactions.server_count() <= 5 && server.transactions.client_count() <= 3);
        }
        server.wait(Duration::from_secs(100));
        prop_assert_eq!((server.transactions.server_count(), server.transactions.client_count()), (0, 0));
        prop_assert_eq!(server.transactions.poll_timeout(), None);
    }
}
