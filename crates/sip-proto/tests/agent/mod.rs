//! A user of the transactions at one address: it sends MESSAGEs and answers those it gets, after a while.

#![expect(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chappe_sim::{Node, Random};
use chappe_sip_proto::{
    ClientEnd, ClientId, Limits, Output, Peer, Received, Response, ServerId, Transactions, Transport,
};

/// How a request ended for whoever sent it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Final(u16),
    Ended(ClientEnd),
}

pub struct Agent {
    pub transactions: Transactions,
    pub addr: SocketAddr,
    transport: Transport,
    /// Call-IDs of the requests handed to the user.
    pub seen: Vec<String>,
    /// What the user was told about the requests it sent.
    pub outcomes: BTreeMap<ClientId, Vec<Outcome>>,
    random: Random,
    /// Longest time until the user answers.
    slowest: Duration,
    due: BTreeMap<(Instant, u64), ServerId>,
    serial: u64,
}

pub fn addr(host: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, host], 5060))
}

impl Agent {
    pub fn new(host: u8, seed: u64, transport: Transport, slowest: Duration) -> Self {
        Self {
            transactions: Transactions::new(u16::from(host), seed, Limits::default()),
            addr: addr(host),
            transport,
            seen: Vec::new(),
            outcomes: BTreeMap::new(),
            random: Random::new(seed),
            slowest,
            due: BTreeMap::new(),
            serial: 0,
        }
    }

    pub fn peer(&self, addr: SocketAddr) -> Peer {
        Peer { transport: self.transport, ..Peer::udp(addr) }
    }

    /// Sends a MESSAGE with this Call-ID.
    pub fn send(&mut self, now: Instant, to: SocketAddr, call_id: &str) -> ClientId {
        let branch = self.transactions.new_branch();
        let via = format!("SIP/2.0/{} {};branch={branch}", self.transport, self.addr);
        let bytes = request("MESSAGE", &via, call_id, 1);
        let client = self.transactions.request(now, branch, Bytes::from(bytes), self.peer(to));
        self.outcomes.insert(client, Vec::new());
        client
    }

    fn note(&mut self, client: ClientId, outcome: Outcome) {
        self.outcomes.get_mut(&client).expect("an outcome of a request that was sent").push(outcome);
    }

    fn answer_due(&mut self, now: Instant) {
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now) {
            let server = entry.remove();
            self.transactions.respond(now, server, Response::new(200));
        }
    }
}

impl Node for Agent {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn receive(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) {
        let message = chappe_sip_msg::parse(bytes).expect("agents send what can be parsed");
        let peer = self.peer(from);
        match self.transactions.receive(now, &message, peer) {
            Received::Request(server) => {
                self.seen.push(String::from_utf8_lossy(message.call_id()).into_owned());
                let wait = self.random.between(Duration::ZERO, self.slowest);
                self.serial += 1;
                self.due.insert((now + wait, self.serial), server);
            }
            Received::Response { client, code } if code >= 200 => self.note(client, Outcome::Final(code)),
            Received::Response { code, .. } => assert_eq!(code, 100, "RFC 4320 knows no other"),
            Received::Absorbed | Received::Stray => {}
            other => panic!("{other:?} is not expected between two agents"),
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let answers = self.due.first_key_value().map(|((at, _), _)| *at);
        answers.into_iter().chain(self.transactions.poll_timeout()).min()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.answer_due(now);
        self.transactions.handle_timeout(now);
    }

    fn poll_transmit(&mut self, _now: Instant) -> Option<(SocketAddr, Vec<u8>)> {
        loop {
            match self.transactions.poll()? {
                Output::Transmit { peer, bytes } => return Some((peer.addr, bytes.to_vec())),
                Output::ClientEnded { client, why } => self.note(client, Outcome::Ended(why)),
            }
        }
    }
}

/// A request as a client prints it.
pub fn request(method: &str, via: &str, call_id: &str, cseq: u32) -> Vec<u8> {
    format!(
        "{method} sip:bob@example.com SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a\r\n\
         To: <sip:bob@example.com>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n\
         Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
    )
    .into_bytes()
}

/// A server's transactions and the bytes they want to have sent.
pub struct Server {
    pub transactions: Transactions,
    pub now: Instant,
    pub source: Peer,
}

impl Server {
    pub fn new(limits: Limits) -> Self {
        Self {
            transactions: Transactions::new(0, 42, limits),
            now: chappe_sim::Clock::new().now(),
            source: Peer::udp(addr(1)),
        }
    }

    pub fn receive(&mut self, bytes: &[u8]) -> Received {
        let message = chappe_sip_msg::parse(bytes).expect("a message that can be parsed");
        self.transactions.receive(self.now, &message, self.source)
    }

    /// Takes in what has to be a new request.
    pub fn accept(&mut self, bytes: &[u8]) -> ServerId {
        match self.receive(bytes) {
            Received::Request(server) => server,
            other => panic!("{other:?} instead of a new request"),
        }
    }

    pub fn respond(&mut self, server: ServerId, response: Response) {
        self.transactions.respond(self.now, server, response);
    }

    /// Lets time pass, timer by timer.
    pub fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.transactions.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.transactions.handle_timeout(self.now);
        }
        self.now = end;
    }

    /// What was sent since the last look.
    pub fn sent(&mut self) -> Vec<String> {
        let outputs = std::iter::from_fn(|| self.transactions.poll());
        outputs
            .map(|output| match output {
                Output::Transmit { bytes, .. } => String::from_utf8(bytes.to_vec()).expect("text"),
                Output::ClientEnded { why, .. } => format!("{why:?}"),
            })
            .collect()
    }

    /// The status codes of what was sent since the last look; 0 for what is no response.
    pub fn sent_codes(&mut self) -> Vec<u16> {
        let code = |text: &String| text.strip_prefix("SIP/2.0 ").and_then(|rest| rest[..3].parse().ok());
        self.sent().iter().map(|text| code(text).unwrap_or(0)).collect()
    }
}
