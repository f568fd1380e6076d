//! A load beside the one that is measured: messages to a script that sleeps.

use std::net::SocketAddrV4;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::error::BenchError;
use crate::folder::SLEEPER;
use crate::ledger::Counts;
use crate::load::{Load, Pace};
use crate::message::Template;
use crate::register::register;
use crate::stop::{Stop, stop};
use crate::udp::Port;
use crate::wire::Datagrams;

/// Messages a second: three of four workers are asleep at any time.
const RATE: f64 = 30.0;
/// How long the thread goes on before it looks whether it is to end.
const PIECE: Duration = Duration::from_millis(50);

/// Who sends them: a user that is registered once.
pub struct Sender {
    user: String,
    server: SocketAddrV4,
    ports: [Port; 2],
}

impl Sender {
    pub fn register(server: SocketAddrV4, user: String) -> Result<Self, BenchError> {
        let mut ports = [Port::open()?, Port::open()?];
        register(&mut ports[0], server, &user)?;
        Ok(Self { user, server, ports })
    }
}

/// A thread that sends until it is stopped.
pub struct Sleeper {
    stop: Stop,
    thread: JoinHandle<Result<(Sender, Counts), BenchError>>,
}

impl Sleeper {
    /// `run` keeps its messages apart from those of others.
    pub fn start(mut sender: Sender, run: u32, size: usize) -> Self {
        let (stop, stopped) = stop();
        let thread = thread::spawn(move || {
            let template = Template::new(run, sender.ports[0].address, &sender.user, SLEEPER, size);
            let wire = Box::new(Datagrams::new(vec![sender.server], &mut sender.ports));
            let mut load = Load::new(run, wire, vec![template]);
            while !stopped.is_over() {
                load.drive(Pace::Rate(RATE), PIECE)?;
            }
            let counts = load.end().counts;
            Ok((sender, counts))
        });
        Self { stop, thread }
    }

    /// Ends it; who sent, and what became of the messages so far.
    pub fn end(self) -> Result<(Sender, Counts), BenchError> {
        drop(self.stop);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}
