//! A user's device, with its manners.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chappe_interop::Received;

use super::{Ledger, Random, socket};

/// An answer to REGISTER that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_millis(200);

/// How a device behaves until the storm is over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Answers 200.
    Prompt,
    /// Answers 200 after a while.
    Slow,
    /// Answers 200, and 200 again.
    Twice,
    /// Half of the messages get 486 the first time.
    Busy,
    /// Does not hear the first packets of a message.
    Deaf,
    /// Registers and unregisters.
    ComesAndGoes,
    /// Registers once the storm is over.
    ComesAtTheEnd,
}

/// The handle of a device's thread; the thread ends with the handle.
pub struct Device {
    flags: Arc<Flags>,
}

#[derive(Default)]
struct Flags {
    is_calm: AtomicBool,
    ends: AtomicBool,
}

impl Device {
    pub fn start(server: u16, user: &str, manner: Manner, ledger: &Ledger, random: Random) -> Device {
        let socket = socket();
        let port = socket.local_addr().expect("a bound socket").port();
        let mut work = Work {
            socket,
            port,
            server: SocketAddr::from((Ipv4Addr::LOCALHOST, server)),
            user: user.to_owned(),
            manner,
            ledger: ledger.clone(),
            random,
            registration: Registration::new(manner != Manner::ComesAtTheEnd),
            answers: HashMap::new(),
            heard: HashMap::new(),
            late: Vec::new(),
        };
        let flags = Arc::new(Flags::default());
        let seen = flags.clone();
        std::thread::spawn(move || work.run(&seen));
        Device { flags }
    }

    /// From here on it is registered and answers everything with 200.
    pub fn be_there_for_all(&self) {
        self.flags.is_calm.store(true, Ordering::Release);
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.flags.ends.store(true, Ordering::Release);
    }
}

struct Work {
    socket: UdpSocket,
    port: u16,
    server: SocketAddr,
    user: String,
    manner: Manner,
    ledger: Ledger,
    random: Random,
    registration: Registration,
    /// What each request was answered, by branch: its retransmissions are answered alike.
    answers: HashMap<String, u16>,
    /// Packets heard of each message.
    heard: HashMap<usize, u64>,
    /// Answers to be sent later.
    late: Vec<(Instant, Vec<u8>)>,
}

/// Where the device stands with the registrar.
struct Registration {
    wanted: bool,
    /// Nothing is known before the first answer.
    is: Option<bool>,
    cseq: u32,
    asked: Instant,
    asked_for: bool,
    /// When it changes its mind, or registers again.
    next: Instant,
}

impl Registration {
    fn new(wanted: bool) -> Registration {
        let now = Instant::now();
        Registration { wanted, is: Some(false), cseq: 0, asked: now - PATIENCE, asked_for: wanted, next: now }
    }
}

impl Work {
    fn run(&mut self, flags: &Flags) {
        let mut is_calm = false;
        while !flags.ends.load(Ordering::Acquire) {
            let now = Instant::now();
            if !is_calm && flags.is_calm.load(Ordering::Acquire) {
                is_calm = true;
                self.manner = Manner::Prompt;
                self.registration.wanted = true;
                self.registration.is = None;
            }
            self.register(now);
            self.send_late(now);
            let mut datagram = [0; 8192];
            let Ok(length) = self.socket.recv(&mut datagram) else { continue };
            let Some(message) = Received::parse(&datagram[..length]) else { continue };
            match message.status() {
                Some(200..300) => self.registered(&message),
                Some(_) => {}
                None => self.take(&message),
            }
        }
    }

    /// Sees to it that it is registered, or not, as it wants to be.
    fn register(&mut self, now: Instant) {
        let registration = &mut self.registration;
        if now >= registration.next {
            registration.next = now + Duration::from_millis(self.random.between(300, 1500));
            match self.manner {
                Manner::ComesAndGoes => registration.wanted = !registration.wanted,
                Manner::ComesAtTheEnd => {}
                _ => registration.is = None,
            }
        }
        if registration.is == Some(registration.wanted) || now < registration.asked + PATIENCE {
            return;
        }
        registration.asked = now;
        registration.asked_for = registration.wanted;
        registration.cseq += 1;
        let (cseq, expires) = (registration.cseq, if registration.wanted { 600 } else { 0 });
        let (user, server, port) = (&self.user, self.server, self.port);
        let request = format!(
            "REGISTER sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};rport;branch=z9hG4bK-r{port}-{cseq}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@{server}>;tag=r{port}\r\nTo: <sip:{user}@{server}>\r\n\
             Call-ID: register-{port}\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:{user}@127.0.0.1:{port}>\r\n\
             Expires: {expires}\r\nContent-Length: 0\r\n\r\n"
        );
        self.send(request.as_bytes());
    }

    fn registered(&mut self, answer: &Received) {
        let last = format!("{} REGISTER", self.registration.cseq);
        if answer.header("CSeq") == Some(&last) {
            self.registration.is = Some(self.registration.asked_for);
        }
    }

    fn take(&mut self, request: &Received) {
        if !request.is("MESSAGE") {
            return;
        }
        let Some(number) = self.ledger.arrived(&self.user, self.port, request) else { return };
        let heard = self.heard.entry(number).or_default();
        *heard += 1;
        let heard = *heard;
        let status = self.status(request, number, heard);
        if status == 200 {
            self.ledger.taken(number);
        }
        let answer = request.answer(status);
        match self.manner {
            _ if status == 0 => {}
            Manner::Slow => {
                let pause = Duration::from_millis(self.random.between(10, 300));
                self.late.push((Instant::now() + pause, answer));
            }
            Manner::Twice => {
                self.send(&answer);
                self.send(&answer);
            }
            _ => self.send(&answer),
        }
    }

    /// 0: none.
    fn status(&mut self, request: &Received, number: usize, heard: u64) -> u16 {
        let branch = request.branch().unwrap_or_default().to_owned();
        if let Some(&status) = self.answers.get(&branch) {
            return status;
        }
        let status = match self.manner {
            Manner::Busy if heard == 1 && number.is_multiple_of(2) => 486,
            // What it does not hear is no answer, so the next packet of this branch may be heard.
            Manner::Deaf if heard <= number as u64 % 3 => return 0,
            Manner::ComesAndGoes if !self.registration.wanted => return 0,
            _ => 200,
        };
        self.answers.insert(branch, status);
        status
    }

    fn send_late(&mut self, now: Instant) {
        let (due, later) = self.late.drain(..).partition(|(at, _)| *at <= now);
        self.late = later;
        let due: Vec<(Instant, Vec<u8>)> = due;
        due.iter().for_each(|(_, answer)| self.send(answer));
    }

    /// Where nobody listens at the moment the packet is lost.
    fn send(&self, packet: &[u8]) {
        let _ = self.socket.send_to(packet, self.server);
    }
}
