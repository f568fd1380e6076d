//! The answer to an INVITE is repeated until its ACK comes, RFC 3261 §17.2.1.

mod agent;

use std::time::Duration;

use agent::{Server, request};
use chappe_sip_proto::{Limits, Received, Response, Transport};

const VIA: &str = "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bKa";

fn refused(transport: Transport) -> Server {
    let mut server = Server::new(Limits::default());
    server.source.transport = transport;
    let id = server.accept(&request("INVITE", VIA, "c", 1));
    server.respond(id, Response::new(405).header("Allow", "MESSAGE, OPTIONS, REGISTER"));
    assert_eq!(server.sent_codes(), [405]);
    server
}

#[test]
fn timer_g_repeats_it_and_timer_h_ends_it() {
    let mut server = refused(Transport::Udp);
    let mut times = Vec::new();
    for tenth in 1..=400 {
        server.wait(Duration::from_millis(100));
        times.extend(server.sent_codes().iter().map(|_| tenth));
    }
    assert_eq!(times, [5, 15, 35, 75, 115, 155, 195, 235, 275, 315]);
    assert_eq!(server.transactions.server_count(), 0);
}

#[test]
fn the_ack_ends_the_repetitions() {
    let mut server = refused(Transport::Udp);
    server.wait(Duration::from_millis(600));
    server.receive(&request("INVITE", VIA, "c", 1));
    assert_eq!(server.sent_codes(), [405, 405], "timer G, and the INVITE that came again");
    for _ in 0..2 {
        assert_eq!(server.receive(&request("ACK", VIA, "c", 1)), Received::Absorbed);
    }
    assert_eq!(server.receive(&request("INVITE", VIA, "c", 1)), Received::Absorbed);
    server.wait(Duration::from_millis(4999));
    assert_eq!(server.transactions.server_count(), 1, "timer I");
    server.wait(Duration::from_millis(1));
    assert_eq!(server.transactions.server_count(), 0);
    assert_eq!(server.sent_codes(), [] as [u16; 0]);
    assert_eq!(server.receive(&request("ACK", VIA, "c", 1)), Received::Stray);
}

#[test]
fn a_reliable_transport_repeats_nothing() {
    let mut server = refused(Transport::Tcp);
    server.wait(Duration::from_secs(31));
    assert_eq!(server.sent_codes(), [] as [u16; 0]);
    assert_eq!(server.receive(&request("ACK", VIA, "c", 1)), Received::Absorbed);
    server.wait(Duration::ZERO);
    assert_eq!(server.transactions.server_count(), 0);
    let mut server = refused(Transport::Tcp);
    server.wait(Duration::from_secs(32));
    assert_eq!(server.transactions.server_count(), 0, "timer H, when no ACK comes");
}

#[test]
fn an_ack_to_nothing_and_a_cancel() {
    let mut server = Server::new(Limits::default());
    assert_eq!(server.receive(&request("ACK", VIA, "c", 1)), Received::Stray);
    let invite = server.accept(&request("INVITE", VIA, "c", 1));
    let cancel = server.accept(&request("CANCEL", VIA, "c", 1));
    server.respond(cancel, Response::new(200));
    server.respond(invite, Response::new(487));
    assert_eq!(server.sent_codes(), [200, 487]);
}
