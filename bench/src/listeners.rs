//! Clients of the event socket beside a load: they read what they are sent.

use std::net::SocketAddrV4;
use std::os::fd::AsRawFd as _;
use std::thread::{self, JoinHandle};

use crate::error::BenchError;
use crate::events::{Connection, Format};
use crate::stop::{Stop, Told, stop};

/// How long the thread waits before it looks whether it is to end, milliseconds.
const PIECE: libc::c_int = 50;
/// Octets a read.
const READ: usize = 256 * 1024;

/// A thread that reads for all of them until it is stopped.
pub struct Listeners {
    stop: Stop,
    thread: JoinHandle<Result<u64, BenchError>>,
}

impl Listeners {
    pub fn start(address: SocketAddrV4, count: u32) -> Result<Self, BenchError> {
        let mut connections = Vec::new();
        for _ in 0..count {
            let mut connection = Connection::open(address)?;
            connection.subscribe(Format::Plain)?;
            connection.begin()?;
            connections.push(connection);
        }
        let (stop, stopped) = stop();
        let thread = thread::spawn(move || read(&mut connections, &stopped));
        Ok(Self { stop, thread })
    }

    /// Ends them; how many events they heard, all together.
    pub fn end(self) -> Result<u64, BenchError> {
        drop(self.stop);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn read(connections: &mut [Connection], stopped: &Told) -> Result<u64, BenchError> {
    let mut buffer = vec![0; READ];
    let fd = |connection: &Connection| libc::pollfd {
        fd: connection.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let mut fds: Vec<libc::pollfd> = connections.iter().map(fd).collect();
    while !stopped.is_over() {
        // SAFETY: `fds` lives through the call, and the count is its own.
        unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, PIECE) };
        for (connection, fd) in connections.iter_mut().zip(&fds) {
            if fd.revents != 0 {
                connection.read(&mut buffer)?;
            }
        }
    }
    Ok(connections.iter().map(|connection| connection.seen.events).sum())
}
