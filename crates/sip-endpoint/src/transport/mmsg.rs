//! The only unsafe code of the crate: epoll, eventfd, `recvmmsg`, `sendmmsg` and `getrlimit` behind safe types.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::Duration;

/// The most octets a UDP datagram can carry.
pub const DATAGRAM: usize = 65_536;

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
    pub socket: bool,
    pub wake: bool,
}

/// An epoll set of one socket and one [`EventFd`], level triggered.
#[derive(Debug)]
pub struct Poller(OwnedFd);

const SOCKET: u64 = 0;
const WAKE: u64 = 1;

impl Poller {
    pub fn new(socket: &impl AsRawFd, wake: &EventFd) -> io::Result<Self> {
        // SAFETY: epoll_create1 takes no pointers.
        let poller = Self(owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?);
        poller.add(socket.as_raw_fd(), SOCKET)?;
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
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 2];
        // SAFETY: `events` has room for the two events named and lives across the call.
        let found = unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), 2, millis) };
        let mut ready = Ready::default();
        for event in events.iter().take(usize::try_from(found).unwrap_or(0)) {
            match event.u64 {
                SOCKET => ready.socket = true,
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

/// Buffers for a batch of datagrams, made once and filled again and again.
pub struct RecvBatch {
    buffers: Box<[u8]>,
    names: Box<[libc::sockaddr_storage]>,
    lengths: Box<[usize]>,
    filled: usize,
}

impl RecvBatch {
    pub fn new(datagrams: usize) -> Self {
        // SAFETY: sockaddr_storage is plain octets; all zero is a valid value.
        let empty: libc::sockaddr_storage = unsafe { zeroed() };
        Self {
            buffers: vec![0; datagrams * DATAGRAM].into(),
            names: vec![empty; datagrams].into(),
            lengths: vec![0; datagrams].into(),
            filled: 0,
        }
    }

    pub fn capacity(&self) -> usize {
        self.lengths.len()
    }

    /// Reads what is there without blocking; the number of datagrams.
    pub fn receive(&mut self, socket: &impl AsRawFd) -> io::Result<usize> {
        const MOST: usize = 64;
        let count = self.capacity().min(MOST);
        let mut vectors = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; MOST];
        // SAFETY: mmsghdr is pointers and integers; all zero is a valid value.
        let mut headers: [libc::mmsghdr; MOST] = unsafe { zeroed() };
        for (i, buffer) in self.buffers.chunks_exact_mut(DATAGRAM).take(count).enumerate() {
            vectors[i] = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: DATAGRAM };
            headers[i].msg_hdr.msg_name = (&raw mut self.names[i]).cast();
            headers[i].msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as u32;
            headers[i].msg_hdr.msg_iov = &raw mut vectors[i];
            headers[i].msg_hdr.msg_iovlen = 1;
        }
        // SAFETY: each header points at a name and an iovec that live across the call and that no
        // other reference uses meanwhile; each iovec covers one whole chunk of `buffers`.
        let got = unsafe {
            let headers = headers.as_mut_ptr();
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers,
                count as u32,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        self.filled = 0;
        if got < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::WouldBlock { Ok(0) } else { Err(error) };
        }
        self.filled = got as usize;
        for (length, header) in self.lengths.iter_mut().zip(&headers[..self.filled]) {
            *length = (header.msg_len as usize).min(DATAGRAM);
        }
        Ok(self.filled)
    }

    /// The datagrams of the last [`receive`](Self::receive), each with its sender.
    pub fn datagrams(&self) -> impl Iterator<Item = (&[u8], SocketAddr)> {
        let buffers = self.buffers.chunks_exact(DATAGRAM);
        buffers
            .zip(&self.lengths)
            .zip(&self.names)
            .take(self.filled)
            .filter_map(|((buffer, &length), name)| read_address(name).map(|from| (&buffer[..length], from)))
    }
}

/// Datagrams waiting to leave, in one buffer that is used again after each flush.
#[derive(Default)]
pub struct SendBatch {
    octets: Vec<u8>,
    parts: Vec<(usize, usize, SocketAddr)>,
}

impl SendBatch {
    pub fn push(&mut self, to: SocketAddr, datagram: &[u8]) {
        let start = self.octets.len();
        self.octets.extend_from_slice(datagram);
        self.parts.push((start, self.octets.len(), to));
    }

    /// Sends everything. What the kernel refuses is handed to `failed` and forgotten: with
    /// UDP a retransmission makes up for it.
    pub fn flush(&mut self, socket: &impl AsRawFd, mut failed: impl FnMut(SocketAddr, io::Error)) {
        const MOST: usize = 64;
        let mut from = 0;
        while from < self.parts.len() {
            let chunk = &self.parts[from..self.parts.len().min(from + MOST)];
            match send_chunk(socket.as_raw_fd(), &self.octets, chunk) {
                Ok(sent) => from += sent.max(1),
                Err(error) => {
                    failed(self.parts[from].2, error);
                    from += 1;
                }
            }
        }
        self.parts.clear();
        self.octets.clear();
    }
}

fn send_chunk(fd: RawFd, octets: &[u8], chunk: &[(usize, usize, SocketAddr)]) -> io::Result<usize> {
    const MOST: usize = 64;
    // SAFETY: sockaddr_storage is plain octets; all zero is a valid value.
    let mut names: [libc::sockaddr_storage; MOST] = unsafe { zeroed() };
    let mut vectors = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; MOST];
    // SAFETY: mmsghdr is pointers and integers; all zero is a valid value.
    let mut headers: [libc::mmsghdr; MOST] = unsafe { zeroed() };
    for (i, &(start, end, to)) in chunk.iter().enumerate() {
        let datagram = &octets[start..end];
        vectors[i] = libc::iovec { iov_base: datagram.as_ptr().cast_mut().cast(), iov_len: datagram.len() };
        headers[i].msg_hdr.msg_namelen = write_address(to, &mut names[i]);
        headers[i].msg_hdr.msg_name = (&raw mut names[i]).cast();
        headers[i].msg_hdr.msg_iov = &raw mut vectors[i];
        headers[i].msg_hdr.msg_iovlen = 1;
    }
    // SAFETY: names, vectors and octets live across the call; the kernel only reads through them.
    let sent = unsafe { libc::sendmmsg(fd, headers.as_mut_ptr(), chunk.len() as u32, libc::MSG_NOSIGNAL) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(sent as usize) }
}

fn read_address(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match i32::from(name.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the storage holds a sockaddr_in, which is smaller.
            let v4 = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddr::V4(SocketAddrV4::new(ip, u16::from_be(v4.sin_port))))
        }
        libc::AF_INET6 => {
            // SAFETY: the family says that the storage holds a sockaddr_in6, which is smaller.
            let v6 = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            Some(SocketAddr::V6(SocketAddrV6::new(ip, u16::from_be(v6.sin6_port), 0, v6.sin6_scope_id)))
        }
        _ => None,
    }
}

fn write_address(to: SocketAddr, name: &mut libc::sockaddr_storage) -> u32 {
    match to {
        SocketAddr::V4(v4) => {
            // SAFETY: sockaddr_storage is large enough and aligned for every address family.
            let out = unsafe { &mut *(&raw mut *name).cast::<libc::sockaddr_in>() };
            out.sin_family = libc::AF_INET as u16;
            out.sin_port = v4.port().to_be();
            out.sin_addr.s_addr = u32::from(*v4.ip()).to_be();
            size_of::<libc::sockaddr_in>() as u32
        }
        SocketAddr::V6(v6) => {
            // SAFETY: sockaddr_storage is large enough and aligned for every address family.
            let out = unsafe { &mut *(&raw mut *name).cast::<libc::sockaddr_in6>() };
            out.sin6_family = libc::AF_INET6 as u16;
            out.sin6_port = v6.port().to_be();
            out.sin6_addr.s6_addr = v6.ip().octets();
            out.sin6_scope_id = v6.scope_id();
            size_of::<libc::sockaddr_in6>() as u32
        }
    }
}

/// Files and sockets that this process may have open at a time.
pub fn descriptors() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call writes into `limit`, which is its own.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } {
        0 => usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX),
        _ => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    fn exchange(at: &str) {
        let (a, b) = (UdpSocket::bind(at).unwrap(), UdpSocket::bind(at).unwrap());
        let to = b.local_addr().unwrap();
        let mut out = SendBatch::default();
        for i in 0..100u8 {
            out.push(to, &vec![i; usize::from(i)]);
        }
        out.flush(&a, |to, error| panic!("{to}: {error}"));
        let mut batch = RecvBatch::new(8);
        let mut expected = 0..100u8;
        while batch.receive(&b).unwrap() > 0 {
            for (datagram, from) in batch.datagrams() {
                let i = expected.next().unwrap();
                assert_eq!((datagram, from), (&vec![i; usize::from(i)][..], a.local_addr().unwrap()));
            }
        }
        assert_eq!(expected.next(), None);
    }

    #[test]
    fn batches_keep_order_length_and_sender() {
        exchange("127.0.0.1:0");
        exchange("[::1]:0");
    }

    #[test]
    fn a_signal_wakes_and_is_cleared() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let wake = EventFd::new().unwrap();
        let poller = Poller::new(&socket, &wake).unwrap();
        wake.signal();
        wake.signal();
        assert_eq!(poller.wait(None), Ready { wake: true, socket: false });
        wake.wakes_up(true);
        assert_eq!(poller.wait(Some(Duration::ZERO)), Ready::default());
    }

    #[test]
    fn who_is_awake_is_not_signalled() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let wake = EventFd::new().unwrap();
        let poller = Poller::new(&socket, &wake).unwrap();
        wake.wakes_up(false);
        wake.signal();
        assert_eq!(poller.wait(Some(Duration::ZERO)), Ready::default());
        wake.falls_asleep();
        wake.signal();
        assert_eq!(poller.wait(None), Ready { wake: true, socket: false });
    }
}
