//! Non-INVITE client transactions, RFC 3261 §17.1.2, seen from the wire.

mod agent;

use std::time::Duration;

use agent::{Server, addr, request};
use bytes::Bytes;
use chappe_sip_proto::{Branch, ClientId, Limits, Peer, Received, Transport};

fn send(server: &mut Server, transport: Transport) -> (ClientId, Branch) {
    let branch = server.transactions.new_branch();
    let bytes = request("MESSAGE", &format!("SIP/2.0/{transport} 192.0.2.9;branch={branch}"), "c", 1);
    let peer = Peer { transport, ..Peer::udp(addr(2)) };
    (server.transactions.request(server.now, branch, Bytes::from(bytes), peer), branch)
}

fn response(branch: &str, code: u16, method: &str) -> Vec<u8> {
    format!(
        "SIP/2.0 {code} X\r\nVia: SIP/2.0/UDP 192.0.2.9;branch={branch}\r\nFrom: <sip:a@h>;tag=a\r\n\
         To: <sip:b@h>;tag=b\r\nCall-ID: c\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// When something was sent, in tenths of a second.
fn times(server: &mut Server, seconds: u32) -> Vec<u32> {
    let mut times = Vec::new();
    for tenth in 1..=seconds * 10 {
        server.wait(Duration::from_millis(100));
        times.extend(server.sent().iter().map(|_| tenth));
    }
    times
}

#[test]
fn timers_e_and_f() {
    let mut server = Server::new(Limits::default());
    send(&mut server, Transport::Udp);
    assert_eq!(server.sent().len(), 1);
    assert_eq!(times(&mut server, 40), [5, 15, 35, 75, 115, 155, 195, 235, 275, 315, 320]);
    assert_eq!(server.transactions.counters().timed_out, 1);
    assert_eq!(server.transactions.poll_timeout(), None);
}

#[test]
fn a_provisional_answer_slows_timer_e() {
    let mut server = Server::new(Limits::default());
    let (client, branch) = send(&mut server, Transport::Udp);
    let trying = response(branch.as_str(), 100, "MESSAGE");
    assert_eq!(server.receive(&trying), Received::Response { client, code: 100 });
    server.sent();
    assert_eq!(times(&mut server, 40), [5, 45, 85, 125, 165, 205, 245, 285, 320]);
}

#[test]
fn reliable_transports_have_timer_f_alone() {
    let mut server = Server::new(Limits::default());
    send(&mut server, Transport::Tcp);
    server.sent();
    assert_eq!(times(&mut server, 40), [320]);
}

#[test]
fn a_final_answer_comes_once_and_is_known_when_it_comes_again() {
    let mut server = Server::new(Limits::default());
    let (client, branch) = send(&mut server, Transport::Udp);
    let ok = response(branch.as_str(), 200, "MESSAGE");
    assert_eq!(server.receive(&ok), Received::Response { client, code: 200 });
    server.wait(Duration::from_millis(4900));
    assert_eq!(server.receive(&ok), Received::Absorbed);
    server.wait(Duration::from_secs(3600));
    assert_eq!(server.receive(&ok), Received::Absorbed);
    assert_eq!(server.sent().len(), 1);
}

#[test]
fn only_what_matches_is_an_answer() {
    let mut server = Server::new(Limits::default());
    let (client, branch) = send(&mut server, Transport::Udp);
    let unknown = "z9hG4bK0000000000000000000000000000";
    let wrong_method = response(branch.as_str(), 200, "MESS");
    assert_eq!(server.receive(&wrong_method), Received::Stray);
    assert_eq!(server.receive(&response(unknown, 200, "MESSAGE")), Received::Stray);
    assert_eq!(server.receive(&response("z9hG4bKnot-ours", 200, "MESSAGE")), Received::Stray);
    let elsewhere = branch.as_str().replacen("z9hG4bK0000", "z9hG4bK0007", 1);
    assert_eq!(server.receive(&response(&elsewhere, 200, "MESSAGE")), Received::OtherShard(7));
    let ok = response(branch.as_str(), 200, "MESSAGE");
    assert_eq!(server.receive(&ok), Received::Response { client, code: 200 });
}

#[test]
fn a_request_can_be_given_up() {
    let mut server = Server::new(Limits::default());
    let (client, branch) = send(&mut server, Transport::Udp);
    server.transactions.cancel_client(client);
    server.transactions.cancel_client(client);
    assert_eq!(server.sent().len(), 1);
    assert_eq!(times(&mut server, 40), [] as [u32; 0]);
    assert_eq!(server.receive(&response(branch.as_str(), 200, "MESSAGE")), Received::Absorbed);
}

#[test]
fn a_dead_peer_ends_what_was_sent_to_it() {
    let mut server = Server::new(Limits::default());
    send(&mut server, Transport::Udp);
    send(&mut server, Transport::Tcp);
    server.sent();
    server.transactions.transport_failed(server.now, Peer::udp(addr(2)));
    assert_eq!(server.sent(), ["TransportError"]);
    assert_eq!(server.transactions.client_count(), 1);
}
