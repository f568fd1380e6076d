//! A request that arrives by two ways is answered 482 on the second, RFC 3261 §8.2.2.2.

mod agent;

use agent::{Server, request};
use chappe_sip_proto::{Limits, Received, Response};

fn message(branch: &str, call_id: &str, cseq: u32) -> Vec<u8> {
    request("MESSAGE", &format!("SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK{branch}"), call_id, cseq)
}

#[test]
fn the_second_way_gets_482() {
    let mut server = Server::new(Limits::default());
    let id = server.accept(&message("a", "c", 1));
    assert_eq!(server.receive(&message("b", "c", 1)), Received::Merged);
    assert_eq!(server.sent_codes(), [482]);
    server.respond(id, Response::new(200));
    assert_eq!(server.sent_codes(), [200]);
    assert_eq!(server.receive(&message("b", "c", 1)), Received::Merged, "as long as the first is remembered");
    assert_eq!(server.sent_codes(), [482]);
    assert_eq!(server.transactions.counters().merged, 2);
}

#[test]
fn another_request_is_not_merged() {
    let mut server = Server::new(Limits::default());
    server.accept(&message("a", "c", 1));
    server.accept(&message("b", "d", 1));
    server.accept(&message("c", "c", 2));
    let within_dialog = String::from_utf8(message("d", "c", 1)).unwrap();
    server.accept(
        within_dialog.replace("To: <sip:bob@example.com>", "To: <sip:bob@example.com>;tag=b").as_bytes(),
    );
}

#[test]
fn credentials_may_come_with_the_same_cseq() {
    let mut server = Server::new(Limits::default());
    let id = server.accept(&message("a", "c", 1));
    server.respond(id, Response::new(401).header("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\""));
    let id = server.accept(&message("b", "c", 1));
    server.respond(id, Response::new(200));
    assert_eq!(server.sent_codes(), [401, 200]);
    assert_eq!(server.receive(&message("c", "c", 1)), Received::Merged);
}
