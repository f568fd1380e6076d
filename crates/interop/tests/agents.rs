//! The server against a peer that sees the octets, over UDP and over TCP.

use chappe_interop::{Agent, Folder, Server, TEXT};

fn both_ways(mut from: Agent, mut to: Agent, server: &Server) {
    assert_eq!(from.register(), 200);
    assert_eq!(to.register(), 200);
    assert_eq!(from.message(&server.uri("1001"), "text/plain;charset=UTF-8", TEXT.as_bytes()), 200);
    let received = to.receive();
    assert_eq!(received.text(), TEXT);
    assert_eq!(received.header("Content-Type"), Some("text/plain;charset=UTF-8"));
    assert!(received.header("From").is_some_and(|from| from.contains("sip:1000@")), "{}", received.head);
    assert_eq!(from.message(&server.uri("echo"), "text/plain", TEXT.as_bytes()), 200);
    assert_eq!(from.receive().text(), format!("Hello, you said: {TEXT}"));
}

#[test]
fn udp_to_udp() {
    let server = Server::start(Folder::new());
    both_ways(Agent::udp(server.sip(), "1000"), Agent::udp(server.sip(), "1001"), &server);
}

#[test]
fn tcp_to_tcp() {
    let server = Server::start(Folder::new());
    both_ways(Agent::tcp(server.sip(), "1000"), Agent::tcp(server.sip(), "1001"), &server);
}

#[test]
fn tcp_to_udp() {
    let server = Server::start(Folder::new());
    both_ways(Agent::tcp(server.sip(), "1000"), Agent::udp(server.sip(), "1001"), &server);
}

#[test]
fn a_reply_reaches_a_sender_on_tcp_who_is_not_registered() {
    let server = Server::start(Folder::new());
    let mut sender = Agent::tcp(server.sip(), "1000");
    assert_eq!(sender.message(&server.uri("echo"), "text/plain", b"hi"), 200);
    assert_eq!(sender.receive().text(), "Hello, you said: hi");
}

#[test]
fn wrong_credentials_are_answered_with_a_challenge() {
    let server = Server::start(Folder::new());
    let mut sender = Agent::udp(server.sip(), "1000");
    let status = sender.message_with_password(&server.uri("1001"), "text/plain", b"hi", "wrong");
    assert!(matches!(status, 401 | 407), "answered {status}");
}

#[test]
fn a_body_that_is_not_text_arrives_octet_for_octet() {
    let server = Server::start(Folder::new());
    let (mut from, mut to) = (Agent::udp(server.sip(), "1000"), Agent::udp(server.sip(), "1001"));
    assert_eq!((from.register(), to.register()), (200, 200));
    let body: Vec<u8> = (0..=255).collect();
    assert_eq!(from.message(&server.uri("1001"), "application/octet-stream", &body), 200);
    assert_eq!(to.receive().body, body);
}
