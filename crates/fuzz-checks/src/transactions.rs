use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chappe_sip_msg::{Message, parse};
use chappe_sip_proto::{Branch, Limits, Output, Peer, Received, Response, Transactions, Transport};

use crate::records::records;

const SHARD: u16 = 3;
/// More than an input can begin, and few enough that nothing large has to be made for each input.
const LIMITS: (usize, usize) = (64, 8);
/// An input's octet that stands for the branch of the first request that waits; those of the others follow it.
const BRANCHES: u8 = 2;

/// A request that was sent, as RFC 3261 §17.1.3 sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sent {
    Waits,
    /// An answer that comes again is known by its branch.
    Ended,
}

struct Waiting {
    branch: Branch,
    sent: Sent,
    ends: usize,
}

/// Any datagrams, one behind the other: a response matches by its topmost branch and CSeq method and by nothing else, each
/// request of ours ends once; answers go to where requests came from; and after a while nothing is left.
pub fn transactions(input: &[u8]) {
    let mut now = Instant::now();
    let (servers, clients) = LIMITS;
    let mut all = Transactions::new(SHARD, 42, Limits { servers, clients, ..Limits::default() });
    let mut waiting: Vec<_> = [Transport::Udp, Transport::Udp, Transport::Tcp]
        .map(|transport| send(&mut all, now, transport))
        .into();
    drain(&mut all, None);
    for record in records(input).take(32) {
        let datagram = with_branches(record, &waiting);
        let Ok(message) = parse(&datagram) else { continue };
        let peer = Peer::udp(SocketAddr::from(([198, 51, 100, 7], 4321)));
        match message.code() {
            Some(code) => response(&mut all, now, &message, code, &mut waiting),
            None => request(&mut all, now, &message, peer),
        }
        drain(&mut all, Some(&message));
        now += Duration::from_millis(10);
    }
    for _ in 0..12 {
        now += Duration::from_secs(10);
        all.handle_timeout(now);
        while let Some(output) = all.poll() {
            if let Output::ClientEnded { .. } = output {
                let next = waiting.iter_mut().find(|one| one.sent == Sent::Waits && one.ends == 0);
                next.expect("one that waits").ends += 1;
            }
        }
    }
    assert!(waiting.iter().all(|one| one.ends == 1), "each ends once");
    assert_eq!((all.server_count(), all.client_count()), (0, 0));
}

fn send(all: &mut Transactions, now: Instant, transport: Transport) -> Waiting {
    let branch = all.new_branch();
    let text = format!(
        "MESSAGE sip:b@h SIP/2.0\r\nVia: SIP/2.0/{transport} 192.0.2.1;branch={branch}\r\nFrom: <sip:a@h>;tag=1\r\n\
         To: <sip:b@h>\r\nCall-ID: {branch}\r\nCSeq: 1 MESSAGE\r\n\r\n"
    );
    let peer = Peer { transport, ..Peer::udp(SocketAddr::from(([203, 0, 113, 9], 5060))) };
    all.request(now, branch, Bytes::from(text), peer);
    Waiting { branch, sent: Sent::Waits, ends: 0 }
}

fn with_branches(record: &[u8], waiting: &[Waiting]) -> Vec<u8> {
    let mut out = Vec::with_capacity(record.len());
    for byte in record {
        match byte.checked_sub(BRANCHES).and_then(|which| waiting.get(usize::from(which))) {
            Some(one) => out.extend_from_slice(one.branch.as_bytes()),
            None => out.push(*byte),
        }
    }
    out
}

/// What the message says, found the long way.
fn said<'m>(message: &'m Message<'_>) -> (Option<&'m [u8]>, String) {
    let via = message.vias().next().and_then(Result::ok).expect("a good message has a Via");
    let cseq = message.headers().find(|line| line.name.to_string() == "CSeq").expect("and a CSeq").text();
    let method = cseq.split_ascii_whitespace().nth(1).unwrap_or_default().to_owned();
    (
        via.params
            .iter()
            .filter(|param| param.name.eq_ignore_ascii_case(b"branch"))
            .find_map(|param| param.value),
        method,
    )
}

fn response(all: &mut Transactions, now: Instant, message: &Message<'_>, code: u16, waiting: &mut [Waiting]) {
    let (branch, method) = said(message);
    let received = all.receive(now, message, Peer::udp(SocketAddr::from(([203, 0, 113, 9], 5060))));
    let ours = waiting.iter_mut().find(|one| Some(one.branch.as_bytes()) == branch);
    let Some(ours) = ours else {
        let other = branch.and_then(Branch::shard).filter(|shard| *shard != SHARD);
        assert_eq!(received, other.map_or(Received::Stray, Received::OtherShard));
        return;
    };
    match (ours.sent, method == "MESSAGE") {
        (Sent::Waits, true) => {
            assert!(
                matches!(received, Received::Response { code: same, .. } if same == code),
                "{received:?}"
            );
            if code >= 200 {
                (ours.sent, ours.ends) = (Sent::Ended, 1);
            }
        }
        (Sent::Ended, _) => assert_eq!(received, Received::Absorbed),
        (Sent::Waits, false) => assert_eq!(received, Received::Stray),
    }
}

fn request(all: &mut Transactions, now: Instant, message: &Message<'_>, peer: Peer) {
    match all.receive(now, message, peer) {
        Received::Request(server) if message.body().first() == Some(&b'!') => {
            all.respond_and_forget(
                now,
                server,
                Response::new(407).header("Proxy-Authenticate", "Digest a=b"),
            );
        }
        Received::Request(server) => all.respond(now, server, Response::new(200)),
        Received::Response { .. } | Received::OtherShard(_) => panic!("a request is no response"),
        Received::Absorbed | Received::Merged | Received::Stray | Received::Refused(_) => {}
    }
}

/// Takes what is to be sent, and looks at the answers.
fn drain(all: &mut Transactions, request: Option<&Message<'_>>) {
    while let Some(output) = all.poll() {
        let (Output::Transmit { peer, bytes }, Some(request)) = (output, request) else { continue };
        let answer = parse(&bytes).expect("an answer to a good request is good");
        assert!(answer.code().is_some());
        assert_eq!(peer.addr.ip().to_string(), "198.51.100.7");
        // Not the Call-ID: what has the branch of another request is that request come again.
        let branch =
            |message: &Message<'_>| message.via().ok().and_then(|via| via.branch).map(<[u8]>::to_vec);
        assert_eq!(branch(&answer), branch(request));
    }
}
