//! Loopback sockets that move many datagrams a call, so that the load generator is not what is measured.

use std::io;
use std::mem;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::ptr;
use std::time::{Duration, Instant, SystemTime};

use crate::error::BenchError;

/// Datagrams a call.
pub const BATCH: usize = 32;
/// Words of what the system tells beside a datagram: a header and a timespec.
const BESIDE: usize = 8;
/// Longest datagram: what UDP can carry (RFC 768).
const LONGEST: usize = 65_535;
/// What is asked for as receive buffer, in bytes; the system may give less.
const RECEIVE_BUFFER: libc::c_int = 16 << 20;

/// A socket with what came in and what is to go out.
pub struct Port {
    socket: UdpSocket,
    pub address: SocketAddrV4,
    pub inbox: Inbox,
    pub outbox: Outbox,
}

impl Port {
    /// A socket on a free port of 127.0.0.1.
    pub fn open() -> Result<Self, BenchError> {
        let opened = || -> io::Result<(UdpSocket, SocketAddrV4)> {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.set_nonblocking(true)?;
            set_receive_buffer(&socket)?;
            set(&socket, libc::SO_TIMESTAMPNS, 1)?;
            let port = socket.local_addr()?.port();
            Ok((socket, SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)))
        };
        let (socket, address) = opened().map_err(BenchError::system("open a socket"))?;
        Ok(Port { socket, address, inbox: Inbox::new(), outbox: Outbox::default() })
    }

    /// For what sends by itself.
    pub fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Reads what is there into the inbox; how many datagrams that were.
    pub fn receive(&mut self) -> Result<usize, BenchError> {
        match self.inbox.fill(self.socket.as_raw_fd()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            other => other.map_err(BenchError::system("receive")),
        }
    }

    /// Sends what is in the outbox.
    pub fn flush(&mut self) -> Result<(), BenchError> {
        self.outbox.empty(self.socket.as_raw_fd()).map_err(BenchError::system("send"))
    }
}

/// Waits until one of the ports has something to read, or the time is over.
pub fn wait(ports: &[Port], at_most: Duration) -> Result<(), BenchError> {
    let mut fds: Vec<libc::pollfd> = Vec::with_capacity(ports.len());
    fds.extend(ports.iter().map(|port| libc::pollfd {
        fd: port.socket.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    }));
    let timeout = libc::timespec {
        tv_sec: at_most.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(at_most.subsec_nanos()),
    };
    // SAFETY: `fds` and `timeout` live through the call, and the count is that of `fds`.
    let ready = unsafe { libc::ppoll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, &timeout, ptr::null()) };
    match ready {
        0.. => Ok(()),
        _ => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            error => Err(BenchError::system("wait for packets")(error)),
        },
    }
}

/// Room for what comes while the reader is not running.
pub fn set_receive_buffer(socket: &UdpSocket) -> io::Result<()> {
    // More than the system gives everybody takes CAP_NET_ADMIN.
    let set = |option| set(socket, option, RECEIVE_BUFFER);
    set(libc::SO_RCVBUFFORCE).or_else(|_| set(libc::SO_RCVBUF))
}

fn set(socket: &UdpSocket, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: the option's value is the c_int it asks for, and lives through the call.
    let outcome = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            (&raw const value).cast(),
            mem::size_of_val(&value) as libc::socklen_t,
        )
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The datagrams of the last read.
pub struct Inbox {
    /// Room for each, of which the system gives only what was written to.
    bytes: Vec<u8>,
    lengths: [usize; BATCH],
    from: [SocketAddrV4; BATCH],
    /// When each came into the socket.
    came: [Instant; BATCH],
}

impl Inbox {
    fn new() -> Self {
        let nobody = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);
        let came = [Instant::now(); BATCH];
        Inbox { bytes: vec![0; LONGEST * BATCH], lengths: [0; BATCH], from: [nobody; BATCH], came }
    }

    /// A datagram of the last read, and where it came from.
    pub fn datagram(&self, index: usize) -> (&[u8], SocketAddrV4) {
        (&self.bytes[index * LONGEST..][..self.lengths[index]], self.from[index])
    }

    /// When it came into the socket: the reader may have been elsewhere then. By the system's clock, which is not to be set meanwhile.
    pub fn came(&self, index: usize) -> Instant {
        self.came[index]
    }

    fn fill(&mut self, fd: libc::c_int) -> io::Result<usize> {
        let mut names = [unspecified(); BATCH];
        let mut rooms = self.bytes.chunks_exact_mut(LONGEST);
        let mut pieces: [libc::iovec; BATCH] = std::array::from_fn(|_| {
            let room = rooms.next().expect("there is room for a batch");
            libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() }
        });
        let mut headers: [libc::mmsghdr; BATCH] =
            std::array::from_fn(|index| header(&mut names[index], &mut pieces[index]));
        let mut beside = [[0u64; BESIDE]; BATCH];
        for (header, beside) in headers.iter_mut().zip(&mut beside) {
            header.msg_hdr.msg_control = beside.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = mem::size_of_val(beside) as _;
        }
        // SAFETY: each header points at one name, one piece and one control buffer, each piece at one buffer with its length; all
        // of them live through the call.
        let count =
            unsafe { libc::recvmmsg(fd, headers.as_mut_ptr(), BATCH as libc::c_uint, 0, ptr::null_mut()) };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        let now = (Instant::now(), SystemTime::now());
        for index in 0..count {
            self.lengths[index] = headers[index].msg_len as usize;
            self.from[index] = address(&names[index]);
            self.came[index] = came(&headers[index].msg_hdr, now);
        }
        Ok(count)
    }
}

/// Datagrams to send.
#[derive(Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    /// Where each one ends in `bytes`, and where it goes.
    datagrams: Vec<(usize, SocketAddrV4)>,
}

impl Outbox {
    /// Adds what `write` appends, if it does.
    pub fn push(&mut self, to: SocketAddrV4, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        if self.bytes.len() > start {
            self.datagrams.push((self.bytes.len(), to));
        }
    }

    fn empty(&mut self, fd: libc::c_int) -> io::Result<()> {
        let mut start = 0;
        for datagrams in self.datagrams.chunks(BATCH) {
            start = send(fd, &mut self.bytes, start, datagrams)?;
        }
        self.bytes.clear();
        self.datagrams.clear();
        Ok(())
    }
}

/// Sends up to `BATCH` datagrams; where the last one ends.
fn send(
    fd: libc::c_int,
    bytes: &mut [u8],
    start: usize,
    datagrams: &[(usize, SocketAddrV4)],
) -> io::Result<usize> {
    let mut at = start;
    let mut names = [unspecified(); BATCH];
    let mut pieces = [libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; BATCH];
    for (index, &(end, to)) in datagrams.iter().enumerate() {
        let datagram = &mut bytes[at..end];
        pieces[index] = libc::iovec { iov_base: datagram.as_mut_ptr().cast(), iov_len: datagram.len() };
        names[index] = name(to);
        at = end;
    }
    let mut headers: [libc::mmsghdr; BATCH] =
        std::array::from_fn(|index| header(&mut names[index], &mut pieces[index]));
    let mut sent = 0;
    while sent < datagrams.len() {
        let rest = &mut headers[sent..datagrams.len()];
        // SAFETY: each header points at one name and one piece, each piece at one datagram in `bytes`; all of them
        // live through the call, and the count is that of `rest`.
        let count = unsafe { libc::sendmmsg(fd, rest.as_mut_ptr(), rest.len() as libc::c_uint, 0) };
        match usize::try_from(count) {
            Ok(count) => sent += count,
            Err(_) => match io::Error::last_os_error() {
                // The send buffer empties as fast as the receiver reads.
                error if error.kind() == io::ErrorKind::WouldBlock => std::thread::yield_now(),
                // The answer to an earlier datagram whose receiver has gone.
                error if error.kind() == io::ErrorKind::ConnectionRefused => {}
                error => return Err(error),
            },
        }
    }
    Ok(at)
}

fn header(name: &mut libc::sockaddr_in, piece: &mut libc::iovec) -> libc::mmsghdr {
    // SAFETY: an mmsghdr is made of integers and pointers, for which zero is a value.
    let mut header: libc::mmsghdr = unsafe { mem::zeroed() };
    header.msg_hdr.msg_name = ptr::from_mut(name).cast();
    header.msg_hdr.msg_namelen = mem::size_of::<libc::sockaddr_in>() as libc::socklen_t;
    header.msg_hdr.msg_iov = piece;
    header.msg_hdr.msg_iovlen = 1;
    header
}

/// When the datagram came, of a header that the system filled (SO_TIMESTAMPNS); without a timestamp, now.
fn came(header: &libc::msghdr, (now, by_system): (Instant, SystemTime)) -> Instant {
    // SAFETY: the control buffer that `header` points at is filled as far as `header` says.
    let Some(part) = (unsafe { libc::CMSG_FIRSTHDR(header).as_ref() }) else { return now };
    if (part.cmsg_level, part.cmsg_type) != (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS) {
        return now;
    }
    // SAFETY: a part of this type holds a timespec, perhaps not aligned.
    let at = unsafe { libc::CMSG_DATA(part).cast::<libc::timespec>().read_unaligned() };
    let at = SystemTime::UNIX_EPOCH + Duration::new(at.tv_sec as u64, at.tv_nsec as u32);
    now.checked_sub(by_system.duration_since(at).unwrap_or_default()).unwrap_or(now)
}

fn unspecified() -> libc::sockaddr_in {
    name(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0))
}

fn name(address: SocketAddrV4) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: address.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(*address.ip()).to_be() },
        sin_zero: [0; 8],
    }
}

fn address(name: &libc::sockaddr_in) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr)), u16::from_be(name.sin_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_came_before_it_was_read() {
        let [mut from, mut to] = std::array::from_fn(|_| Port::open().unwrap());
        let (address, wait) = (to.address, Duration::from_millis(10));
        // The system begins to note times a moment after it was first asked to; until then it notes when a datagram was read.
        let is_noted = (0..100).any(|_| {
            from.outbox.push(address, |out| out.extend(b"early"));
            from.flush().unwrap();
            std::thread::sleep(wait);
            assert_eq!(to.receive().unwrap(), 1);
            assert_eq!(to.inbox.datagram(0), (&b"early"[..], from.address));
            (wait / 2..100 * wait).contains(&to.inbox.came(0).elapsed())
        });
        assert!(is_noted);
    }
}
