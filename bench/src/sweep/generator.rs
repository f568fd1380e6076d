//! The load of the sweep: as many messages a second as are asked for, whatever becomes of them, from one core.
//!
//! What a message costs here is a fraction of what it costs a server: requests are written from a template and sent as
//! trains, and of what comes no more is read than has to be.

use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use chappe_sip_msg::{ResponseWriter, skim};

use super::book::Book;
use super::trains::Trains;
use crate::error::BenchError;
use crate::message::{Marks, Template};
use crate::patience::{PAUSE, pause};
use crate::udp::{self, Port};

/// Messages sent before what came is looked at.
const BURST: usize = 64;
/// A message that is sent this much later than it was due is counted as late: then it is the generator that is measured.
const LATE: Duration = Duration::from_millis(10);
/// Reads of a port in one turn, so that it ends.
const READS: usize = 64;

/// When messages are sent.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// As soon as fewer than this many are open: closed loop.
    Window(u64),
    /// So many a second: open loop.
    Rate(f64),
}

/// One run against one server.
pub struct Generator<'p> {
    /// The senders' port and the receivers'.
    ports: &'p mut [Port; 2],
    trains: [Trains; 2],
    templates: Vec<Template>,
    marks: Marks,
    start: Instant,
    pub book: Book,
    /// Messages that were sent too late.
    pub late: u64,
}

impl<'p> Generator<'p> {
    pub fn new(run: u32, server: SocketAddrV4, ports: &'p mut [Port; 2], templates: Vec<Template>) -> Self {
        Self {
            ports,
            trains: [Trains::new(server), Trains::new(server)],
            templates,
            marks: Marks::new(run),
            start: Instant::now(),
            book: Book::default(),
            late: 0,
        }
    }

    /// How long the run has lasted.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Sends and answers for so long.
    pub fn drive(&mut self, pace: Pace, length: Duration) -> Result<(), BenchError> {
        let start = self.elapsed();
        let end = start + length;
        let mut sent = 0u64;
        loop {
            let now = self.elapsed();
            if now >= end {
                return Ok(());
            }
            match pace {
                Pace::Window(window) => {
                    for _ in self.book.open..window {
                        self.send(now, now);
                    }
                }
                Pace::Rate(rate) => {
                    let due = ((now - start).as_secs_f64() * rate) as u64;
                    let most = due.min(sent + BURST as u64);
                    for number in sent..most {
                        self.send(start + Duration::from_secs_f64(number as f64 / rate), now);
                    }
                    sent = sent.max(most);
                }
            }
            self.send_again(now);
            let is_idle = self.trains[0].len() == 0;
            if self.exchange(now)? == 0 && is_idle {
                // It has its core to itself, and nobody is to pay for waking it.
                pause(Instant::now() + PAUSE);
            }
        }
    }

    fn send(&mut self, due: Duration, now: Duration) {
        self.late += u64::from(now > due + LATE);
        let number = self.book.send(due, now);
        self.write(number);
    }

    fn send_again(&mut self, now: Duration) {
        while self.trains[0].len() < 2 * BURST
            && let Some(number) = self.book.overdue(now)
        {
            self.write(number);
        }
    }

    fn write(&mut self, number: usize) {
        let template = &self.templates[number % self.templates.len()];
        self.trains[0].push(|out| template.write(number, 0, out));
    }

    /// Sends what waits, takes what came, sends the answers; how many datagrams came.
    ///
    /// All of it is taken: answers that found no room would be asked for again, and it were the generator that is measured.
    fn exchange(&mut self, now: Duration) -> Result<usize, BenchError> {
        let mut came = 0;
        for (port, trains) in self.ports.iter_mut().zip(&mut self.trains) {
            trains.flush(port.socket())?;
            for _ in 0..READS {
                let count = port.receive()?;
                for index in 0..count {
                    take(port.inbox.datagram(index).0, &self.marks, now, &mut self.book, trains);
                }
                trains.flush(port.socket())?;
                came += count;
                if count < udp::BATCH {
                    break;
                }
            }
        }
        Ok(came)
    }
}

/// A final response ends a message of ours; a MESSAGE is noted and answered.
fn take(bytes: &[u8], marks: &Marks, now: Duration, book: &mut Book, trains: &mut Trains) {
    if let Some(rest) = bytes.strip_prefix(b"SIP/2.0 ") {
        let code = rest.first_chunk::<3>().and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
        if let (Some(code @ 200..), Some(number)) = (code, marks.in_branch(bytes)) {
            book.answer(number, code, now);
        }
        return;
    }
    let Some(request) = skim(bytes) else { return };
    if let Some(number) = marks.in_body(bytes) {
        book.deliver(number, now);
    }
    trains.push(|out| ResponseWriter::skimmed(&request, None, 200, "", "bench", out).finish());
}
