//! A refusal reaches also whoever sent a request without Call-ID, From or To, or with a Via that can't be read.

mod agent;

use agent::Server;
use chappe_sip_proto::{Limits, Output, Peer, Response};

const LINES: [&str; 5] = [
    "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa\r\n",
    "From: <sip:a@example.com>;tag=a\r\n",
    "To: <sip:b@example.com>\r\n",
    "Call-ID: c\r\n",
    "CSeq: 1 MESSAGE\r\n",
];

/// What the answer is, and where it goes.
fn refused(server: &mut Server, request: &str) -> Option<(Peer, String)> {
    let error = chappe_sip_msg::parse(request.as_bytes()).expect_err("malformed");
    let response = Response::new(error.status());
    server.transactions.answer_statelessly(error.answerable()?, server.source, &response);
    match server.transactions.poll()? {
        Output::Transmit { peer, bytes } => Some((peer, String::from_utf8_lossy(&bytes).into_owned())),
        other => panic!("{other:?}"),
    }
}

fn request(method: &str, lines: &[&str]) -> String {
    format!("{method} sip:b@example.com SIP/2.0\r\n{}\r\n", lines.concat())
}

#[test]
fn without_what_names_it() {
    let mut server = Server::new(Limits::default());
    for missing in 1..LINES.len() {
        let lines: Vec<_> = (0..LINES.len()).filter(|at| *at != missing).map(|at| LINES[at]).collect();
        let text = request("MESSAGE", &lines);
        let (peer, answer) = refused(&mut server, &text).expect("an answer");
        assert_eq!((peer.addr.ip(), peer.addr.port()), (server.source.addr.ip(), 5070), "{missing}");
        assert!(
            answer.starts_with("SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;"),
            "{answer}"
        );
        assert_eq!(answer.contains(";tag=a\r\n"), missing != 1, "{answer}");
        assert_eq!(refused(&mut server, &text), Some((peer, answer)), "the same again, with the same tag");
    }
    assert_eq!(server.transactions.server_count(), 0);
}

#[test]
fn with_a_via_that_can_not_be_read_it_goes_back_to_where_it_came_from() {
    let mut server = Server::new(Limits::default());
    for via in
        ["Via: SIP/7.0/UDP 192.0.2.1:5070;branch=z9hG4bKa\r\n", "Via: SIP/2.0/UDP 192.0.2.1:5070;;,;,,\r\n"]
    {
        let lines = [via, LINES[1], LINES[2], LINES[3], LINES[4]];
        let (peer, answer) = refused(&mut server, &request("MESSAGE", &lines)).expect("an answer");
        assert_eq!(peer, server.source);
        assert!(answer.contains(via), "{answer}");
    }
}

#[test]
fn nobody_is_answered_who_did_not_ask() {
    let mut server = Server::new(Limits::default());
    let answer = refused(&mut server, &request("ACK", &LINES[..2]));
    assert_eq!(answer, None);
    let error = chappe_sip_msg::parse(b"ACK sip:b@h SIP/2.0\r\nVia: x\r\n\r\n").expect_err("malformed");
    let request = error.message().expect("its first line can be read");
    server.transactions.answer_statelessly(request, server.source, &Response::new(400));
    assert_eq!(server.transactions.poll(), None);
}
