//! Sleeping until something happens: epoll and eventfd.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::Duration;

/// Wakes a thread that sleeps in [`Poller::wait`]. A signal costs a system call only while the thread sleeps and has not
/// been signalled: one who is awake looks at its queues before it sleeps, and has to say so by
/// [`falls_asleep`](Self::falls_asleep) before that look.
#[derive(Debug)]
pub struct EventFd {
    fd: OwnedFd,
    asleep: AtomicBool,
}

impl EventFd {
    pub fn new() -> io::Result<Self> {
        // SAFETY: eventfd takes no pointers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
        Ok(Self { fd: owned(fd)?, asleep: AtomicBool::new(true) })
    }

    /// To be called after what the thread is to find was put into its queue. Never blocks: a full counter means that the
    /// sleeper wakes anyway.
    pub fn signal(&self) {
        // Either the sleeper sees what was queued before this, or this sees that it sleeps.
        fence(Ordering::SeqCst);
        if !self.asleep.swap(false, Ordering::SeqCst) {
            return;
        }
        let one = 1u64.to_ne_bytes();
        // SAFETY: the buffer lives across the call and is 8 octets long, as eventfd asks.
        unsafe { libc::write(self.fd.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    /// The thread is about to look at its queues for the last time before it sleeps.
    pub fn falls_asleep(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// The thread is awake; `signalled` when it was by a signal.
    pub fn wakes_up(&self, signalled: bool) {
        self.asleep.store(false, Ordering::SeqCst);
        if signalled {
            let mut count = [0u8; 8];
            // SAFETY: the buffer lives across the call and is 8 octets long.
            unsafe { libc::read(self.fd.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
        }
    }
}

/// What [`Poller::wait`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    pub requests: bool,
    pub answers: bool,
    pub wake: bool,
}

/// An epoll set of the sockets of a shard and one [`EventFd`], level triggered.
#[derive(Debug)]
pub struct Poller(OwnedFd);

const REQUESTS: u64 = 0;
const ANSWERS: u64 = 1;
const WAKE: u64 = 2;

impl Poller {
    pub fn new<S: AsRawFd>(requests: &S, answers: Option<&S>, wake: &EventFd) -> io::Result<Self> {
        // SAFETY: epoll_create1 takes no pointers.
        let poller = Self(owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?);
        poller.add(requests.as_raw_fd(), REQUESTS)?;
        if let Some(answers) = answers {
            poller.add(answers.as_raw_fd(), ANSWERS)?;
        }
        poller.add(wake.fd.as_raw_fd(), WAKE)?;
        Ok(poller)
    }

    fn add(&self, fd: RawFd, key: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: key };
        // SAFETY: `event` lives across the call; both descriptors are open.
        let result = unsafe { libc::epoll_ctl(self.0.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &mut event) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Sleeps at most `timeout` (`None`: until something happens), rounded up to a millisecond.
    pub fn wait(&self, timeout: Option<Duration>) -> Ready {
        let millis = timeout.map_or(-1, |t| i32::try_from(t.as_micros().div_ceil(1000)).unwrap_or(i32::MAX));
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 3];
        // SAFETY: `events` has room for the three events named and lives across the call.
        let found = unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), 3, millis) };
        let mut ready = Ready::default();
        for event in events.iter().take(usize::try_from(found).unwrap_or(0)) {
            match event.u64 {
                REQUESTS => ready.requests = true,
                ANSWERS => ready.answers = true,
                _ => ready.wake = true,
            }
        }
        ready
    }
}

fn owned(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just handed out this descriptor and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn a_signal_wakes_and_is_cleared() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let wake = EventFd::new().unwrap();
        let poller = Poller::new(&socket, None, &wake).unwrap();
        wake.signal();
        wake.signal();
        assert_eq!(poller.wait(None), Ready { wake: true, ..Ready::default() });
        wake.wakes_up(true);
        assert_eq!(poller.wait(Some(Duration::ZERO)), Ready::default());
    }

    #[test]
    fn who_is_awake_is_not_signalled() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let wake = EventFd::new().unwrap();
        let poller = Poller::new(&socket, None, &wake).unwrap();
        wake.wakes_up(false);
        wake.signal();
        assert_eq!(poller.wait(Some(Duration::ZERO)), Ready::default());
        wake.falls_asleep();
        wake.signal();
        assert_eq!(poller.wait(None), Ready { wake: true, ..Ready::default() });
    }
}
