//! The load generator: one thread that sends MESSAGEs, answers those it gets, and keeps the ledger.

use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use chappe_sip_msg::{Message, Method, ResponseWriter, parse};

use crate::error::BenchError;
use crate::ledger::Ledger;
use crate::message::{Template, number_of_body, number_of_response};
use crate::udp::{self, Outbox, Port};

/// How often overdue messages are looked for.
const CHECK: Duration = Duration::from_millis(50);

/// When the next message is sent.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// As soon as fewer than this many are open: closed loop.
    Window(u64),
    /// So many a second, whatever becomes of them: open loop.
    Rate(f64),
    /// Never.
    Idle,
}

/// One run against one server.
pub struct Load<'p> {
    run: u32,
    server: SocketAddrV4,
    /// The senders' ports, and as many receivers'.
    ports: &'p mut [Port],
    templates: Vec<Template>,
    pub ledger: Ledger,
}

impl<'p> Load<'p> {
    pub fn new(run: u32, server: SocketAddrV4, ports: &'p mut [Port], templates: Vec<Template>) -> Self {
        Load { run, server, ports, templates, ledger: Ledger::new() }
    }

    /// What is sent is done once it is answered, and arrives nowhere.
    pub fn of_answers(self) -> Self {
        Load { ledger: Ledger::of_answers(), ..self }
    }

    /// Sends at this pace, and answers, for so long.
    pub fn drive(&mut self, pace: Pace, length: Duration) -> Result<(), BenchError> {
        let start = Instant::now();
        let end = start + length;
        let mut due = start;
        let mut check_at = start + CHECK;
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            self.send(pace, &mut due, now);
            if now >= check_at {
                self.resend(now);
                check_at = now + CHECK;
            }
            let next = if matches!(pace, Pace::Rate(_)) { due.min(check_at) } else { check_at };
            if self.exchange(now)? == 0 {
                udp::wait(self.ports, next.min(end).saturating_duration_since(Instant::now()))?;
            }
        }
    }

    /// Waits until all is answered and delivered, at most so long.
    pub fn drain(&mut self, at_most: Duration) -> Result<(), BenchError> {
        let end = Instant::now() + at_most;
        while self.ledger.open() > 0 && Instant::now() < end {
            self.drive(Pace::Idle, Duration::from_millis(20))?;
        }
        Ok(())
    }

    fn send(&mut self, pace: Pace, due: &mut Instant, now: Instant) {
        match pace {
            Pace::Idle => {}
            Pace::Window(window) => {
                for _ in self.ledger.open()..window {
                    self.send_one(now, now);
                }
            }
            Pace::Rate(rate) => {
                while *due <= now {
                    self.send_one(*due, now);
                    *due += Duration::from_secs_f64(1.0 / rate);
                }
            }
        }
    }

    fn send_one(&mut self, due: Instant, now: Instant) {
        let number = self.ledger.send(due, now);
        self.write(number);
    }

    fn resend(&mut self, now: Instant) {
        for number in self.ledger.take_overdue(now) {
            self.write(number);
        }
    }

    fn write(&mut self, number: usize) {
        let count = self.templates.len();
        let (place, before) = (number % count, number / count);
        let senders = self.ports.len() / 2;
        let template = &self.templates[place];
        let outbox = &mut self.ports[place % senders].outbox;
        outbox.push(self.server, |out| template.write(number, before, out));
    }

    /// Sends what waits, takes what came, sends the answers; how many datagrams came.
    fn exchange(&mut self, now: Instant) -> Result<usize, BenchError> {
        let mut came = 0;
        for port in self.ports.iter_mut() {
            port.flush()?;
            let count = port.receive()?;
            for index in 0..count {
                let (bytes, from) = port.inbox.datagram(index);
                take(bytes, from, self.run, now, &mut self.ledger, &mut port.outbox);
            }
            port.flush()?;
            came += count;
        }
        Ok(came)
    }
}

/// A response ends a message of ours; a MESSAGE is noted and answered.
fn take(bytes: &[u8], from: SocketAddrV4, run: u32, now: Instant, ledger: &mut Ledger, outbox: &mut Outbox) {
    let Ok(message) = parse(bytes) else { return };
    match message.code() {
        Some(code) => {
            if let Some(number) = number_of_response(&message, run).filter(|_| code >= 200) {
                ledger.answer(number, code, now);
            }
        }
        None => {
            if message.method() == Method::Message
                && let Some(number) = number_of_body(message.body(), run)
            {
                ledger.deliver(number);
            }
            outbox.push(from, |out| accept(&message, out));
        }
    }
}

fn accept(request: &Message<'_>, out: &mut Vec<u8>) {
    ResponseWriter::to(request, None, 200, "", "bench", out).finish();
}
