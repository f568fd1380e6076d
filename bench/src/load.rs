//! The load generator: one thread that sends MESSAGEs, answers those it gets, and keeps the ledger.

use std::time::{Duration, Instant};

use chappe_sip_msg::{Method, ResponseWriter, skim};

use crate::error::BenchError;
use crate::ledger::Ledger;
use crate::message::{Marks, Template};
use crate::patience::{PAUSE, Patience, pause};
use crate::wire::Wire;

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
    marks: Marks,
    wire: Box<dyn Wire + 'p>,
    templates: Vec<Template>,
    patience: Patience,
    /// Time in which it watched and had nothing to do.
    idle: Duration,
    pub ledger: Ledger,
}

impl<'p> Load<'p> {
    /// Templates go to the senders of the wire in turns.
    pub fn new(run: u32, wire: Box<dyn Wire + 'p>, templates: Vec<Template>) -> Self {
        let (marks, patience, idle) = (Marks::new(run), Patience::Sleeps, Duration::ZERO);
        Load { marks, wire, templates, patience, idle, ledger: Ledger::new() }
    }

    /// What is sent is done once it is answered, and arrives nowhere.
    pub fn of_answers(self) -> Self {
        Load { ledger: Ledger::of_answers(), ..self }
    }

    /// Waits like this; unless told it sleeps.
    pub fn waits(self, patience: Patience) -> Self {
        Load { patience, ..self }
    }

    /// Time so far in which it watched and had nothing to do.
    pub fn idle(&self) -> Duration {
        self.idle
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
            let sent = self.ledger.counts.sent;
            self.send(pace, &mut due, now);
            if now >= check_at {
                self.resend(now);
                check_at = now + CHECK;
            }
            let next = if matches!(pace, Pace::Rate(_)) { due.min(check_at) } else { check_at };
            if self.exchange()? == 0 {
                let began = Instant::now();
                self.wait(next.min(end))?;
                if self.patience == Patience::Watches && self.ledger.counts.sent == sent {
                    self.idle += began.elapsed().min(PAUSE) + (began - now);
                }
            }
        }
    }

    fn wait(&mut self, until: Instant) -> Result<(), BenchError> {
        match self.patience {
            Patience::Sleeps => self.wire.wait(until.saturating_duration_since(Instant::now())),
            Patience::Watches => {
                pause(until);
                Ok(())
            }
        }
    }

    /// What became of the messages.
    pub fn end(self) -> Ledger {
        self.ledger
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
        if !self.wire.sends_again() {
            return;
        }
        for number in self.ledger.take_overdue(now) {
            self.write(number);
        }
    }

    fn write(&mut self, number: usize) {
        let count = self.templates.len();
        let (place, before) = (number % count, number / count);
        let template = &self.templates[place];
        self.wire.send(place, &mut |out| template.write(number, before, out));
    }

    /// Sends what waits, takes what came, sends the answers; how many messages came.
    fn exchange(&mut self) -> Result<usize, BenchError> {
        let (marks, ledger) = (&self.marks, &mut self.ledger);
        self.wire.exchange(&mut |bytes, came, out| take(bytes, marks, came, ledger, out))
    }
}

/// A final response ends a message of ours; a MESSAGE is noted and answered.
fn take(bytes: &[u8], marks: &Marks, came: Instant, ledger: &mut Ledger, out: &mut Vec<u8>) {
    if let Some(rest) = bytes.strip_prefix(b"SIP/2.0 ") {
        let code = rest.first_chunk::<3>().and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
        if let (Some(code @ 200..), Some(number)) = (code, marks.in_branch(bytes)) {
            ledger.answer(number, code, came, Instant::now());
        }
        return;
    }
    let Some(request) = skim(bytes) else { return };
    if request.method == Method::Message
        && let Some(number) = marks.in_body(bytes)
    {
        ledger.deliver(number);
    }
    ResponseWriter::skimmed(&request, None, 200, "", "bench", out).finish();
}
