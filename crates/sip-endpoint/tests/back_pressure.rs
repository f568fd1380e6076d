//! A shard that can't keep up holds its connections back.

mod fixture;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use fixture::{Server, param};

/// Together more requests than a mailbox holds; of each connection fewer than may wait to be written to it.
const CONNECTIONS: usize = 20;
const REQUESTS: usize = 1000;

fn requests(connection: usize) -> String {
    let request = |number: usize| {
        format!(
            "OPTIONS sip:chat.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{connection}-{number}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:chat.test>\r\nCall-ID: {connection}-{number}\r\n\
             CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
    };
    (0..REQUESTS).map(request).collect()
}

/// Answers, until there are as many as requests, or none comes any more.
fn answers(stream: &mut TcpStream) -> usize {
    let (mut text, mut piece, mut count) = (Vec::new(), vec![0; 65_536], 0);
    while count < REQUESTS {
        let Ok(read @ 1..) = stream.read(&mut piece) else { break };
        text.extend_from_slice(&piece[..read]);
        count = text.windows(12).filter(|line| line == b"SIP/2.0 200 ").count();
    }
    count
}

#[test]
fn what_came_by_connections_is_not_lost_in_a_full_mailbox() {
    let params = [("shards", "1"), ("max-request-age", "0"), ("auth-messages", "false")];
    let params: String = params.iter().map(|(name, value)| param(name, value)).collect();
    let server = Server::with(&params);
    let mut phone = server.phone("1000");
    let to = "sip:stall+x@chat.test";
    let stalls = phone.request("MESSAGE", to, to, "Content-Type: text/plain\r\n", "x");
    let stalled = server.stall.by(&mut phone, &stalls);
    let mut streams: Vec<_> = (0..CONNECTIONS).map(|_| TcpStream::connect(server.addr()).unwrap()).collect();
    for (connection, stream) in streams.iter_mut().enumerate() {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(requests(connection).as_bytes()).unwrap();
    }
    drop(stalled);
    let counts: Vec<_> = streams.iter_mut().map(answers).collect();
    assert_eq!(counts, [REQUESTS; CONNECTIONS]);
}
