//! The only unsafe code of the crate: epoll, eventfd, `recvmmsg`, `sendmmsg`, `getrlimit` and a few socket options behind
//! safe types.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::{Duration, SystemTime};

/// The most octets a UDP datagram can carry.
pub const DATAGRAM: usize = 65_536;

/// From one buffer of a batch to the next. A power of two would lay them all into the same few lines of the processor's
/// caches.
const STRIDE: usize = DATAGRAM + 17 * 64;

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

/// Buffers for a batch of datagrams, made once and filled again and again.
pub struct RecvBatch {
    buffers: Box<[u8]>,
    names: Box<[libc::sockaddr_storage]>,
    lengths: Box<[usize]>,
    filled: usize,
    /// What the kernel says beside the first datagram. Words, for the alignment.
    beside: [u64; 8],
    /// When the first datagram came, since 1970.
    came: Option<Duration>,
}

impl RecvBatch {
    pub fn new(datagrams: usize) -> Self {
        // SAFETY: sockaddr_storage is plain octets; all zero is a valid value.
        let empty: libc::sockaddr_storage = unsafe { zeroed() };
        Self {
            buffers: vec![0; datagrams * STRIDE].into(),
            names: vec![empty; datagrams].into(),
            lengths: vec![0; datagrams].into(),
            filled: 0,
            beside: [0; 8],
            came: None,
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
        for (i, buffer) in self.buffers.chunks_exact_mut(STRIDE).take(count).enumerate() {
            vectors[i] = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: DATAGRAM };
            headers[i].msg_hdr.msg_name = (&raw mut self.names[i]).cast();
            headers[i].msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as u32;
            headers[i].msg_hdr.msg_iov = &raw mut vectors[i];
            headers[i].msg_hdr.msg_iovlen = 1;
        }
        headers[0].msg_hdr.msg_control = self.beside.as_mut_ptr().cast();
        headers[0].msg_hdr.msg_controllen = size_of_val(&self.beside) as _;
        // SAFETY: each header points at a name and an iovec that live across the call and that no
        // other reference uses meanwhile; each iovec lies in a chunk of `buffers` of its own. The control buffer of the first
        // lives across the call and has the length given.
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
        (self.filled, self.came) = (0, None);
        if got < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::WouldBlock { Ok(0) } else { Err(error) };
        }
        self.filled = got as usize;
        for (length, header) in self.lengths.iter_mut().zip(&headers[..self.filled]) {
            *length = (header.msg_len as usize).min(DATAGRAM);
        }
        if got > 0 {
            self.came = came(&headers[0].msg_hdr);
        }
        Ok(self.filled)
    }

    /// How long the first datagram of the last [`receive`](Self::receive) has waited in its socket, if that is one of
    /// [`note_arrivals`]; else nothing. A clock that is stepped meanwhile makes it too long or nothing.
    pub fn waited(&self) -> Duration {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.came.map_or(Duration::ZERO, |came| now.saturating_sub(came))
    }

    /// The datagrams of the last [`receive`](Self::receive), each with its sender.
    pub fn datagrams(&self) -> impl Iterator<Item = (&[u8], SocketAddr)> {
        let buffers = self.buffers.chunks_exact(STRIDE);
        buffers
            .zip(&self.lengths)
            .zip(&self.names)
            .take(self.filled)
            .filter_map(|((buffer, &length), name)| read_address(name).map(|from| (&buffer[..length], from)))
    }
}

fn came(header: &libc::msghdr) -> Option<Duration> {
    // SAFETY: the kernel has filled the control buffer that `header` points at, and says in `header` how far.
    let mut beside = unsafe { libc::CMSG_FIRSTHDR(header).as_ref() };
    while let Some(part) = beside {
        if (part.cmsg_level, part.cmsg_type) == (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS) {
            // SAFETY: a part of this type holds a timespec, perhaps not aligned.
            let at = unsafe { libc::CMSG_DATA(part).cast::<libc::timespec>().read_unaligned() };
            return Some(Duration::new(u64::try_from(at.tv_sec).ok()?, u32::try_from(at.tv_nsec).ok()?));
        }
        // SAFETY: as above; `part` is one of the parts of `header`.
        beside = unsafe { libc::CMSG_NXTHDR(header, part).as_ref() };
    }
    None
}

/// Most datagrams or trains of one send call.
const MOST: usize = 64;
/// Most datagrams of a train.
const TRAIN: usize = 64;
/// The longest datagram that goes in a train: no path is too narrow for it, RFC 8200 §5.
const NARROW: usize = 1232;
/// Words of control buffer for one number.
const BESIDE: usize = 3;

/// Datagrams waiting to leave, in one buffer that is used again after each flush.
///
/// What goes to one address, one behind the other and equally long, leaves as a train that the kernel takes apart as late as
/// it can (UDP_SEGMENT): the way through the kernel is most of what a datagram costs.
pub struct SendBatch {
    octets: Vec<u8>,
    parts: Vec<Part>,
    /// Whether the kernel takes trains.
    trains: bool,
}

#[derive(Clone, Copy)]
struct Part {
    start: usize,
    end: usize,
    to: SocketAddr,
}

impl Part {
    fn len(&self) -> usize {
        self.end - self.start
    }
}

impl Default for SendBatch {
    fn default() -> Self {
        Self { octets: Vec::new(), parts: Vec::new(), trains: true }
    }
}

impl SendBatch {
    pub fn push(&mut self, to: SocketAddr, datagram: &[u8]) {
        let start = self.octets.len();
        self.octets.extend_from_slice(datagram);
        self.parts.push(Part { start, end: self.octets.len(), to });
    }

    /// Adds what `write` appends, unless it knows no address for it; whether it does.
    pub fn push_written(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Option<SocketAddr>) -> bool {
        let start = self.octets.len();
        let to = write(&mut self.octets);
        match to {
            Some(to) => self.parts.push(Part { start, end: self.octets.len(), to }),
            None => self.octets.truncate(start),
        }
        to.is_some()
    }

    /// The last one that was added.
    pub fn last(&self) -> Option<&[u8]> {
        self.parts.last().map(|part| &self.octets[part.start..part.end])
    }

    /// Sends everything. What the kernel refuses is handed to `failed` and forgotten: with
    /// UDP a retransmission makes up for it.
    pub fn flush(&mut self, socket: &impl AsRawFd, mut failed: impl FnMut(SocketAddr, io::Error)) {
        let mut from = 0;
        while from < self.parts.len() {
            let rest = &self.parts[from..];
            let first = self.train(rest);
            match self.send(socket.as_raw_fd(), rest) {
                Ok(sent) => from += sent.max(1),
                // Old kernels know no trains, some devices can't send them.
                Err(error) if first > 1 && !is_full(&error) => self.trains = false,
                Err(error) => {
                    failed(rest[0].to, error);
                    from += first;
                }
            }
        }
        self.parts.clear();
        self.octets.clear();
    }

    /// How many of the first ones go as one train; 1: it goes alone.
    fn train(&self, parts: &[Part]) -> usize {
        let Some(first) =
            parts.first().filter(|first| self.trains && first.len() <= NARROW && first.len() > 0)
        else {
            return 1;
        };
        let is_next = |part: &&Part| part.to == first.to && part.len() == first.len();
        let equal = parts.iter().take(TRAIN).take_while(is_next).count();
        // The last one may be shorter.
        let shorter = |part: &Part| part.to == first.to && (1..first.len()).contains(&part.len());
        equal + usize::from(equal < TRAIN && parts.get(equal).is_some_and(shorter))
    }

    /// How many have gone.
    fn send(&self, fd: RawFd, parts: &[Part]) -> io::Result<usize> {
        // SAFETY: sockaddr_storage is plain octets; all zero is a valid value.
        let mut names: [libc::sockaddr_storage; MOST] = unsafe { zeroed() };
        let mut vectors = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; MOST];
        let mut beside = [[0u64; BESIDE]; MOST];
        // SAFETY: mmsghdr is pointers and integers; all zero is a valid value.
        let mut headers: [libc::mmsghdr; MOST] = unsafe { zeroed() };
        let mut counts = [0; MOST];
        let (mut next, mut used) = (0, 0);
        while used < MOST && next < parts.len() {
            let count = self.train(&parts[next..]);
            let (first, last) = (&parts[next], &parts[next + count - 1]);
            let datagrams = &self.octets[first.start..last.end];
            vectors[used] =
                libc::iovec { iov_base: datagrams.as_ptr().cast_mut().cast(), iov_len: datagrams.len() };
            let header = &mut headers[used].msg_hdr;
            header.msg_namelen = write_address(first.to, &mut names[used]);
            header.msg_name = (&raw mut names[used]).cast();
            header.msg_iov = &raw mut vectors[used];
            header.msg_iovlen = 1;
            if count > 1 {
                couple(header, &mut beside[used], first.len() as u16);
            }
            counts[used] = count;
            (next, used) = (next + count, used + 1);
        }
        // SAFETY: names, vectors, control buffers and octets live across the call; the kernel only reads through them.
        let sent = unsafe { libc::sendmmsg(fd, headers.as_mut_ptr(), used as u32, libc::MSG_NOSIGNAL) };
        if sent < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(counts[..sent as usize].iter().sum())
    }
}

/// Makes what the header sends a train of datagrams of this length.
fn couple(header: &mut libc::msghdr, beside: &mut [u64; BESIDE], length: u16) {
    header.msg_control = beside.as_mut_ptr().cast();
    // SAFETY: the two compute lengths.
    let (space, whole) = unsafe { (libc::CMSG_SPACE(2), libc::CMSG_LEN(2)) };
    header.msg_controllen = space as _;
    debug_assert!(space as usize <= size_of::<[u64; BESIDE]>());
    // SAFETY: the control buffer is aligned, is as long as one part with two octets needs, and is borrowed by nobody else.
    unsafe {
        let part = &mut *libc::CMSG_FIRSTHDR(header);
        (part.cmsg_level, part.cmsg_type, part.cmsg_len) = (libc::SOL_UDP, libc::UDP_SEGMENT, whole as _);
        libc::CMSG_DATA(part).cast::<u16>().write_unaligned(length);
    }
}

/// Whether it is for want of room.
fn is_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM))
}

/// Has the kernel note when each datagram came, for [`RecvBatch::waited`].
pub fn note_arrivals(socket: &impl AsRawFd) -> io::Result<()> {
    set_option(socket, libc::SO_TIMESTAMPNS, &1i32)
}

/// Has the kernel ask this program which of the sockets of a port a datagram is for, by their order of binding.
pub fn choose_by(socket: &impl AsRawFd, program: &[libc::sock_filter]) -> io::Result<()> {
    /// include/uapi/asm-generic/socket.h; libc has no name for it.
    const SO_ATTACH_REUSEPORT_CBPF: libc::c_int = 51;
    let length = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    set_option(socket, SO_ATTACH_REUSEPORT_CBPF, &program)
}

fn set_option<T>(socket: &impl AsRawFd, option: libc::c_int, value: &T) -> io::Result<()> {
    // SAFETY: `value` lives across the call, and the kernel reads as much of it as is said; what a program's length promises
    // is there by `choose_by`.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            (&raw const *value).cast(),
            size_of::<T>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Datagrams that the socket had no room for since it was opened.
pub fn lost(socket: &impl AsRawFd) -> Option<u32> {
    /// include/uapi/asm-generic/socket.h; libc has no name for it.
    const SO_MEMINFO: libc::c_int = 55;
    const DROPS: usize = libc::SK_MEMINFO_DROPS as usize;
    let mut counts = [0u32; DROPS + 1];
    let mut length = size_of_val(&counts) as libc::socklen_t;
    // SAFETY: the kernel writes into `counts` no more than the length given; both live across the call.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_MEMINFO,
            counts.as_mut_ptr().cast(),
            &mut length,
        )
    };
    (result == 0 && length as usize == size_of_val(&counts)).then_some(counts[DROPS])
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

/// Raises the soft limit of [`descriptors`] to the hard one: what it was, and what it is.
pub fn raise_descriptors() -> io::Result<(u64, u64)> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call writes into `limit`, which is its own.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let (before, most) = (limit.rlim_cur, limit.rlim_max);
    limit.rlim_cur = most;
    // SAFETY: the call reads `limit`.
    if before < most && unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((before, most))
}

/// Has large pieces of memory lie apart from the small ones, so that they are given back when they are freed, also after many
/// of them came and went, which else makes the allocator keep them.
pub fn keep_large_memory_apart() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the calls set numbers of the allocator's.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
    }
}

/// Octets of a large piece: less than a chunk of 4,096 transactions.
#[cfg(target_env = "gnu")]
const LARGE: i32 = 256 << 10;
/// Octets that the allocator keeps for what comes next.
#[cfg(target_env = "gnu")]
const KEPT: i32 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    #[test]
    fn the_soft_limit_of_open_files_becomes_the_hard_one() {
        let (_, most) = raise_descriptors().unwrap();
        assert_eq!(raise_descriptors().unwrap(), (most, most));
        assert_eq!(descriptors() as u64, most);
    }

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
    fn trains_arrive_as_the_datagrams_they_are_made_of() {
        for at in ["127.0.0.1:0", "[::1]:0"] {
            let sockets: [UdpSocket; 3] = std::array::from_fn(|_| UdpSocket::bind(at).unwrap());
            let [from, one, other] = &sockets;
            let [one_at, other_at] = [one, other].map(|socket| socket.local_addr().unwrap());
            // Runs of equal ones, longer than a train, with a shorter one at the end, between others, too long for one.
            let lengths: Vec<usize> =
                [vec![700; 100], vec![699], vec![701; 2], vec![0], vec![1300; 3], vec![5, 6, 6, 5, 4]]
                    .concat();
            let datagrams: Vec<Vec<u8>> =
                lengths.iter().enumerate().map(|(number, length)| vec![number as u8; *length]).collect();
            let mut out = SendBatch::default();
            datagrams.iter().for_each(|datagram| out.push(one_at, datagram));
            datagrams.iter().take(10).for_each(|datagram| {
                out.push(other_at, datagram);
                out.push(one_at, b"between");
            });
            assert_eq!(out.train(&out.parts), TRAIN);
            out.flush(from, |to, error| panic!("{to}: {error}"));
            assert!(out.trains);
            let expected = datagrams.iter().cloned().chain(vec![b"between".to_vec(); 10]).collect::<Vec<_>>();
            assert_eq!(received(one), expected);
            assert_eq!(received(other), datagrams[..10]);
        }
    }

    fn received(socket: &UdpSocket) -> Vec<Vec<u8>> {
        let (mut batch, mut all) = (RecvBatch::new(8), Vec::new());
        while batch.receive(socket).unwrap() > 0 {
            all.extend(batch.datagrams().map(|(datagram, _)| datagram.to_vec()));
        }
        all
    }

    #[test]
    fn a_datagram_knows_how_long_it_waited() {
        let (a, b) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        note_arrivals(&b).unwrap();
        let before = std::time::Instant::now();
        a.send_to(b"x", b.local_addr().unwrap()).unwrap();
        let mut batch = RecvBatch::new(8);
        assert_eq!(batch.receive(&b).unwrap(), 1);
        let (first, limit) = (batch.waited(), before.elapsed() + Duration::from_secs(1));
        assert!(first > Duration::ZERO && first < limit, "{first:?}");
        while batch.waited() <= first {}
        assert_eq!(batch.receive(&b).unwrap(), 0);
        assert_eq!(batch.waited(), Duration::ZERO);
    }

    #[test]
    fn what_a_socket_had_no_room_for_is_counted() {
        let (a, b) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        socket2::SockRef::from(&b).set_recv_buffer_size(4096).unwrap();
        for _ in 0..100 {
            a.send_to(&[0; 1000], b.local_addr().unwrap()).unwrap();
        }
        let came = received(&b).len() as u32;
        assert!(came < 100);
        assert_eq!(lost(&b), Some(100 - came));
    }

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
