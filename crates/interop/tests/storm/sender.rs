//! A user who sends, and sends again until it has an answer.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chappe_interop::Received;

use super::{Ledger, Random, socket};

/// RFC 3261 §17.1.2.2: Timer E starts at T1 and doubles up to T2, Timer F ends it.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const TIMER_F: Duration = Duration::from_secs(32);

/// The handle of a sender's thread.
pub struct Sender {
    flags: Arc<Flags>,
}

#[derive(Default)]
struct Flags {
    sends_no_more: AtomicBool,
    is_done: AtomicBool,
}

impl Sender {
    /// Begins to send to the users.
    pub fn start(server: u16, user: &str, to: &[&str], ledger: &Ledger, random: Random) -> Sender {
        let flags = Arc::new(Flags::default());
        let mut work = Work {
            socket: socket(),
            server: SocketAddr::from((Ipv4Addr::LOCALHOST, server)),
            user: user.to_owned(),
            to: to.iter().map(|&user| user.to_owned()).collect(),
            ledger: ledger.clone(),
            random,
            open: BTreeMap::new(),
            next: Instant::now(),
        };
        let seen = flags.clone();
        std::thread::spawn(move || work.run(&seen));
        Sender { flags }
    }

    /// Nothing new; what is open is still sent again.
    pub fn end(&self) {
        self.flags.sends_no_more.store(true, Ordering::Release);
    }

    /// Each message has an answer, or was given up.
    pub fn is_done(&self) -> bool {
        self.flags.is_done.load(Ordering::Acquire)
    }
}

struct Work {
    socket: UdpSocket,
    server: SocketAddr,
    user: String,
    to: Vec<String>,
    ledger: Ledger,
    random: Random,
    /// Client transactions without a final answer, by message.
    open: BTreeMap<usize, Transaction>,
    next: Instant,
}

struct Transaction {
    request: Vec<u8>,
    begun: Instant,
    resend_at: Instant,
    interval: Duration,
}

impl Work {
    fn run(&mut self, flags: &Flags) {
        loop {
            let ends = flags.sends_no_more.load(Ordering::Acquire);
            if ends && self.open.is_empty() {
                return flags.is_done.store(true, Ordering::Release);
            }
            let now = Instant::now();
            if !ends && now >= self.next {
                self.burst(now);
            }
            self.resend(now);
            self.receive();
        }
    }

    fn burst(&mut self, now: Instant) {
        for _ in 0..self.random.between(1, 6) {
            let to = self.random.choose(&self.to).clone();
            let noise: Vec<u8> = (0..self.random.between(0, 200)).map(|_| self.random.next() as u8).collect();
            let (number, body) = self.ledger.send(&to, &noise);
            let request = self.request(number, &to, &body);
            self.send(&request);
            self.open.insert(number, Transaction { request, begun: now, resend_at: now + T1, interval: T1 });
        }
        self.next = now + Duration::from_millis(self.random.between(20, 120));
    }

    fn request(&self, number: usize, to: &str, body: &[u8]) -> Vec<u8> {
        let local = self.socket.local_addr().expect("a bound socket");
        let (user, server) = (&self.user, self.server);
        let head = format!(
            "MESSAGE sip:{to}@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {local};rport;branch=z9hG4bK-storm-{number}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@{server}>;tag=s{number}\r\nTo: <sip:{to}@{server}>\r\n\
             Call-ID: storm-{number}-{}\r\nCSeq: 1 MESSAGE\r\nContent-Type: application/octet-stream\r\n\
             Content-Length: {}\r\n\r\n",
            local.port(),
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    /// Where nobody listens at the moment the packet is lost, as on a real network.
    fn send(&self, packet: &[u8]) {
        let _ = self.socket.send_to(packet, self.server);
    }

    fn resend(&mut self, now: Instant) {
        let mut given_up = Vec::new();
        for (&number, transaction) in &mut self.open {
            if now >= transaction.begun + TIMER_F {
                given_up.push(number);
            } else if now >= transaction.resend_at {
                transaction.interval = (transaction.interval * 2).min(T2);
                transaction.resend_at = now + transaction.interval;
                let _ = self.socket.send_to(&transaction.request, self.server);
                self.ledger.sent_again(number);
            }
        }
        given_up.into_iter().for_each(|number| self.end(number, 0));
    }

    fn receive(&mut self) {
        let mut datagram = [0; 8192];
        let Ok(length) = self.socket.recv(&mut datagram) else { return };
        let Some(message) = Received::parse(&datagram[..length]) else { return };
        let number = message.branch().and_then(|branch| branch.rsplit('-').next()?.parse().ok());
        if let (Some(status @ 200..), Some(number)) = (message.status(), number) {
            self.end(number, status);
        }
    }

    fn end(&mut self, number: usize, status: u16) {
        if self.open.remove(&number).is_some() {
            self.ledger.answered(number, status);
        }
    }
}
