//! A request that there is no time for is refused as if it had been read.

mod agent;

use agent::{Server, request};
use chappe_sip_proto::{Limits, Received, Response, Unread};

const VIA: &str = "SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKa";

fn refuse(server: &mut Server, datagram: &[u8]) -> (Unread, String) {
    let mut out = Vec::new();
    let unread =
        server.transactions.refuse_unread(datagram, server.source, 503, ("Retry-After", b"3"), &mut out);
    (unread, String::from_utf8(out).expect("an answer is text"))
}

#[test]
fn the_answer_is_the_one_it_would_get_parsed() {
    for via in [VIA, "SIP/2.0/UDP 192.0.2.1:5080;branch=z9hG4bKa"] {
        let mut server = Server::new(Limits::default());
        let datagram = request("MESSAGE", via, "c1", 1);
        let (unread, answer) = refuse(&mut server, &datagram);
        let message = chappe_sip_msg::parse(&datagram).unwrap();
        let response = Response::new(503).header("Retry-After", "3");
        server.transactions.answer_statelessly(&message, server.source, &response);
        let chappe_sip_proto::Output::Transmit { peer, bytes } = server.transactions.poll().unwrap() else {
            panic!("nothing is sent")
        };
        assert_eq!((unread, answer.as_bytes()), (Unread::Refused(peer), &bytes[..]));
        assert_eq!(server.transactions.server_count(), 0);
        assert_eq!(server.transactions.counters().refused, 1);
    }
}

#[test]
fn what_is_under_way_is_not_refused() {
    let mut server = Server::new(Limits::default());
    let datagram = request("MESSAGE", VIA, "c1", 1);
    let id = server.accept(&datagram);
    assert_eq!(refuse(&mut server, &datagram), (Unread::Known, String::new()));
    server.respond(id, Response::new(200));
    assert_eq!(refuse(&mut server, &datagram).0, Unread::Known);
    assert_eq!(server.receive(&datagram), Received::Absorbed);
    let other = request("MESSAGE", &VIA.replace("bKa", "bKb"), "c2", 1);
    assert!(matches!(refuse(&mut server, &other).0, Unread::Refused(_)));
}

#[test]
fn what_only_a_parser_can_judge_is_left_to_it() {
    let mut server = Server::new(Limits::default());
    let old = request("MESSAGE", "SIP/2.0/UDP 192.0.2.1;branch=1", "c1", 1);
    for (datagram, expected) in [
        (&old[..], Unread::Odd),
        (b"SIP/2.0 200 OK\r\n\r\n", Unread::Odd),
        (&request("ACK", VIA, "c1", 1), Unread::Known),
    ] {
        assert_eq!(refuse(&mut server, datagram), (expected, String::new()));
    }
}
