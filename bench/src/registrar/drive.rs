//! The closed loop: so many requests are open at once, whatever they are.

use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use chappe_sip_msg::{Message, Method, ResponseWriter, parse};

use super::request::{number_of_body, number_of_response};
use crate::error::BenchError;
use crate::ledger::{Counts, Ledger};
use crate::server::Server;
use crate::udp::{self, Port};

/// How often overdue requests are looked for.
const CHECK: Duration = Duration::from_millis(50);

/// Who writes the requests and hears what is said to them.
pub trait Requests {
    /// Appends request number `number` of the run; the same one each time it is asked for.
    fn write(&mut self, number: usize, out: &mut Vec<u8>);

    /// A final response to it.
    fn answered(&mut self, _number: usize, _response: &Message<'_>) {}
}

/// When a run ends.
#[derive(Clone, Copy)]
pub enum Until {
    /// So many requests are sent.
    Sent(usize),
    Over(Duration),
}

/// What a run showed.
pub struct Run {
    /// Requests a second that were answered, and arrived where they are to.
    pub rate: f64,
    /// CPU time of the server a request, in microseconds.
    pub cpu: f64,
    pub counts: Counts,
}

/// Two sockets: the first sends, contacts are at the second.
pub struct Driver {
    pub ports: [Port; 2],
    /// Numbers below belong to earlier runs.
    pub base: usize,
    pub window: u32,
}

impl Driver {
    pub fn new(window: u32) -> Result<Self, BenchError> {
        Ok(Self { ports: [Port::open()?, Port::open()?], base: 1, window })
    }

    /// Runs against a server; `arrive`: a request is done once it was delivered as well.
    pub fn run(
        &mut self,
        server: &Server,
        requests: &mut dyn Requests,
        until: Until,
        arrive: bool,
    ) -> Result<Run, BenchError> {
        let ledger = if arrive { Ledger::new() } else { Ledger::of_answers() };
        let (started, before) = (Instant::now(), server.cpu_time()?);
        let mut pass = Pass { driver: self, requests, server: server.address, ledger };
        pass.drive(until)?;
        let ledger = pass.ledger;
        let (elapsed, cpu) = (started.elapsed(), server.cpu_time()?.saturating_sub(before));
        let counts = ledger.counts;
        self.base += counts.sent as usize;
        let done = (counts.done + counts.refused.values().sum::<u64>()) as f64;
        Ok(Run { rate: done / elapsed.as_secs_f64(), cpu: cpu.as_secs_f64() * 1e6 / done.max(1.0), counts })
    }
}

struct Pass<'d> {
    driver: &'d mut Driver,
    requests: &'d mut dyn Requests,
    server: SocketAddrV4,
    ledger: Ledger,
}

impl Pass<'_> {
    fn drive(&mut self, until: Until) -> Result<(), BenchError> {
        let start = Instant::now();
        let mut check_at = start + CHECK;
        // What is lost for good must not hold the program for ever.
        let mut last = start;
        loop {
            let now = Instant::now();
            let sent = self.ledger.counts.sent as usize;
            let more = match until {
                Until::Sent(total) => sent < total,
                Until::Over(length) => now < start + length,
            };
            if more {
                last = now;
                let room = u64::from(self.driver.window).saturating_sub(self.ledger.open()) as usize;
                let left = if let Until::Sent(total) = until { total - sent } else { room };
                (0..room.min(left)).for_each(|_| {
                    let number = self.ledger.send(now, now);
                    self.write(number);
                });
            } else if self.ledger.open() == 0 || now > last + Duration::from_secs(5) {
                return Ok(());
            }
            if now >= check_at {
                self.ledger.take_overdue(now).into_iter().for_each(|number| self.write(number));
                check_at = now + CHECK;
            }
            if self.exchange(now)? == 0 {
                udp::wait(&self.driver.ports, check_at.saturating_duration_since(Instant::now()))?;
            }
        }
    }

    fn write(&mut self, number: usize) {
        let (requests, number) = (&mut self.requests, self.driver.base + number);
        self.driver.ports[0].outbox.push(self.server, |out| requests.write(number, out));
    }

    fn exchange(&mut self, now: Instant) -> Result<usize, BenchError> {
        let mut came = 0;
        for port in &mut self.driver.ports {
            port.flush()?;
            let count = port.receive()?;
            for index in 0..count {
                let (bytes, from) = port.inbox.datagram(index);
                let Ok(message) = parse(bytes) else { continue };
                let own = |number: Option<usize>| number?.checked_sub(self.driver.base);
                match message.code() {
                    Some(code) => {
                        let Some(number) = own(number_of_response(&message)).filter(|_| code >= 200) else {
                            continue;
                        };
                        self.requests.answered(self.driver.base + number, &message);
                        self.ledger.answer(number, code, now, now);
                    }
                    None => {
                        if let Some(number) = own(number_of_body(message.body()))
                            .filter(|_| message.method() == Method::Message)
                        {
                            self.ledger.deliver(number);
                        }
                        port.outbox.push(from, |out| {
                            ResponseWriter::to(&message, None, 200, "", "bench", out).finish();
                        });
                    }
                }
            }
            port.flush()?;
            came += count;
        }
        Ok(came)
    }
}
