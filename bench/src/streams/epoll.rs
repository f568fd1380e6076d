//! Which of many connections have something to read.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd as _, OwnedFd};
use std::ptr;
use std::time::Duration;

/// Connections told about at once.
const BATCH: usize = 256;

pub struct Epoll {
    fd: OwnedFd,
    events: [libc::epoll_event; BATCH],
    places: Vec<usize>,
}

impl Epoll {
    pub fn new() -> io::Result<Self> {
        // SAFETY: the call takes a flag and touches no memory of ours.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, and nobody else has it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { fd, events: [libc::epoll_event { events: 0, u64: 0 }; BATCH], places: Vec::new() })
    }

    /// From here on it is told by its place when there is something to read, as long as there is.
    pub fn add(&self, connection: &impl AsRawFd, place: usize) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: place as u64 };
        // SAFETY: both descriptors are open, and `event` lives through the call.
        let outcome = unsafe {
            libc::epoll_ctl(self.fd.as_raw_fd(), libc::EPOLL_CTL_ADD, connection.as_raw_fd(), &mut event)
        };
        if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// The places of those that have something at the moment.
    pub fn ready(&mut self) -> io::Result<&[usize]> {
        let room = BATCH as libc::c_int;
        // SAFETY: `events` lives through the call, and `room` is its length.
        let count = unsafe { libc::epoll_wait(self.fd.as_raw_fd(), self.events.as_mut_ptr(), room, 0) };
        let count = match usize::try_from(count) {
            Ok(count) => count,
            Err(_) => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => 0,
                error => return Err(error),
            },
        };
        self.places.clear();
        self.places.extend(self.events[..count].iter().map(|event| event.u64 as usize));
        Ok(&self.places)
    }

    /// Waits until there is one, or the time is over; to the nanosecond, which `epoll_wait` does not do.
    pub fn wait(&self, at_most: Duration) -> io::Result<()> {
        let mut fd = libc::pollfd { fd: self.fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let timeout = libc::timespec {
            tv_sec: at_most.as_secs() as libc::time_t,
            tv_nsec: libc::c_long::from(at_most.subsec_nanos()),
        };
        // SAFETY: `fd` and `timeout` live through the call, and the count is one.
        match unsafe { libc::ppoll(&mut fd, 1, &timeout, ptr::null()) } {
            0.. => Ok(()),
            _ => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => Ok(()),
                error => Err(error),
            },
        }
    }
}
