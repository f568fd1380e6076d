//! The closed loop: events in by one connection, out to all others.

use std::fmt::Write as _;
use std::io;
use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant};

use crate::error::BenchError;
use crate::events::connection::Connection;

/// Octets a read.
const READ: usize = 256 * 1024;
/// Octets of events that wait to be written, at most.
const WRITE: usize = 256 * 1024;

pub struct Load {
    feeder: Connection,
    subscribers: Vec<Connection>,
    window: u64,
    event: Vec<u8>,
    sent: u64,
    /// Octets of events that the system has not taken yet.
    pending: Vec<u8>,
    buffer: Vec<u8>,
}

impl Load {
    pub fn new(
        mut feeder: Connection,
        mut subscribers: Vec<Connection>,
        window: u64,
    ) -> Result<Self, BenchError> {
        feeder.begin()?;
        subscribers.iter_mut().try_for_each(Connection::begin)?;
        let (event, buffer) = (event().into_bytes(), vec![0; READ]);
        Ok(Load { feeder, subscribers, window, event, sent: 0, pending: Vec::new(), buffer })
    }

    /// Events that were answered and that everybody has heard.
    pub fn done(&self) -> u64 {
        let heard = self.subscribers.iter().map(|subscriber| subscriber.seen.events);
        heard.chain([self.feeder.seen.replies]).min().unwrap_or(0)
    }

    /// Octets of an event as the clients get it.
    pub fn event_octets(&self) -> u64 {
        self.subscribers.first().map_or(0, |subscriber| subscriber.seen.event_octets as u64)
    }

    /// Feeds for so long.
    pub fn drive(&mut self, length: Duration) -> Result<(), BenchError> {
        let end = Instant::now() + length;
        while Instant::now() < end {
            self.feed();
            self.exchange()?;
        }
        Ok(())
    }

    /// Feeds so many events more, or until the time is over.
    pub fn fill(&mut self, events: u64, at_most: Duration) -> Result<(), BenchError> {
        let (enough, end) = (self.done() + events, Instant::now() + at_most);
        while self.done() < enough && Instant::now() < end {
            self.feed();
            self.exchange()?;
        }
        Ok(())
    }

    /// Waits until everybody has heard everything; how many events somebody did not hear.
    pub fn drain(&mut self, at_most: Duration) -> Result<u64, BenchError> {
        let end = Instant::now() + at_most;
        while self.done() < self.sent && Instant::now() < end {
            self.exchange()?;
        }
        Ok(self.sent - self.done())
    }

    fn feed(&mut self) {
        while self.sent - self.done() < self.window && self.pending.len() < WRITE {
            self.pending.extend_from_slice(&self.event);
            self.sent += 1;
        }
    }

    /// Writes what the system takes, waits until there is something to read, and reads it.
    fn exchange(&mut self) -> Result<(), BenchError> {
        if !self.pending.is_empty() {
            let written = self.feeder.write(&self.pending)?;
            self.pending.drain(..written);
        }
        let mut fds: Vec<libc::pollfd> = self.connections().map(|one| readable(one.as_raw_fd())).collect();
        if !self.pending.is_empty() {
            fds[0].events |= libc::POLLOUT;
        }
        // SAFETY: `fds` lives through the call, and the count is its own.
        let ready = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, 100) };
        if ready < 0 {
            let error = io::Error::last_os_error();
            let interrupted = error.kind() == io::ErrorKind::Interrupted;
            return if interrupted { Ok(()) } else { Err(BenchError::system("wait for events")(error)) };
        }
        let connections = std::iter::once(&mut self.feeder).chain(&mut self.subscribers);
        for (connection, fd) in connections.zip(&fds) {
            if fd.revents & !libc::POLLOUT != 0 {
                connection.read(&mut self.buffer)?;
            }
        }
        Ok(())
    }

    /// The feeder, then the others.
    fn connections(&self) -> impl Iterator<Item = &Connection> {
        std::iter::once(&self.feeder).chain(&self.subscribers)
    }
}

fn readable(fd: libc::c_int) -> libc::pollfd {
    libc::pollfd { fd, events: libc::POLLIN, revents: 0 }
}

/// A `sendevent` of what a MESSAGE event of a chat holds; the server adds the core headers.
fn event() -> String {
    let mut text = String::from("sendevent MESSAGE\n");
    for (name, value) in [
        ("login", "sip:mod_sofia@127.0.0.1:5060"),
        ("proto", "sip"),
        ("to_proto", "sip"),
        ("from", "1000@bench.test"),
        ("from_user", "1000"),
        ("from_host", "bench.test"),
        ("from_full", "\"1000\" <sip:1000@bench.test>;tag=babcdef-0000000001"),
        ("from_sip_ip", "127.0.0.1"),
        ("from_sip_port", "40000"),
        ("to", "1001@bench.test"),
        ("to_user", "1001"),
        ("to_host", "bench.test"),
        ("to_sip_ip", "127.0.0.1"),
        ("to_sip_port", "40001"),
        ("subject", "SIMPLE MESSAGE"),
        ("context", "default"),
        ("type", "text/plain"),
        ("sip_profile", "bench"),
        ("sip_authorized", "true"),
        ("dest_proto", "sip"),
        ("max_forwards", "70"),
        ("DP_MATCH", "ARRAY::1001@bench.test|:1001"),
        ("skip_global_process", "true"),
        ("Nonblocking-Delivery", "true"),
    ] {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{name}: {value}");
    }
    let body =
        "Hello, this is a message as people write them to one another, of a hundred letters or thereabouts.";
    let _ = write!(text, "Content-Length: {}\n\n{body}", body.len());
    text
}
