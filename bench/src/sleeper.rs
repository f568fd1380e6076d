//! A load beside the one that is measured: messages to a script that sleeps.

use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::error::BenchError;
use crate::folder::SLEEPER;
use crate::ledger::Counts;
use crate::load::{Load, Pace};
use crate::message::Template;
use crate::register::register;
use crate::udp::Port;

/// Messages a second: three of four workers are asleep at any time.
const RATE: f64 = 30.0;
/// How long the thread goes on before it looks whether it is to end.
const PIECE: Duration = Duration::from_millis(50);

/// A thread that sends until it is stopped.
pub struct Sleeper {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Counts, BenchError>>,
}

impl Sleeper {
    /// `run` keeps its messages apart from those of others; `user` sends them.
    pub fn start(server: SocketAddrV4, run: u32, user: String, size: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let mut ports = [Port::open()?, Port::open()?];
            register(&mut ports[0], server, &user)?;
            let template = Template::new(run, ports[0].address, &user, SLEEPER, size);
            let mut load = Load::new(run, server, &mut ports, vec![template]);
            while !stopped.load(Ordering::Acquire) {
                load.drive(Pace::Rate(RATE), PIECE)?;
            }
            Ok(load.ledger.counts)
        });
        Self { stop, thread }
    }

    /// Ends it; what became of its messages so far.
    pub fn end(self) -> Result<Counts, BenchError> {
        self.stop.store(true, Ordering::Release);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}
