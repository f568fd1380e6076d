//! Reading datagrams, many a call.

use std::io;
use std::mem::{MaybeUninit, size_of, zeroed};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::time::{Duration, SystemTime};

use super::message;

/// The most octets a UDP datagram can carry.
pub const DATAGRAM: usize = 65_536;

/// From one buffer of a batch to the next. A power of two would lay them all into the same few lines of the processor's
/// caches.
const STRIDE: usize = DATAGRAM + 17 * 64;

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
        let Self { buffers, names, .. } = self;
        let mut pieces = [const { MaybeUninit::uninit() }; MOST];
        let mut headers = [const { MaybeUninit::uninit() }; MOST];
        // Each is written where it lies: there are kilobytes of them, mostly for one datagram.
        for (((buffer, name), piece), header) in
            buffers.chunks_exact_mut(STRIDE).zip(names).zip(&mut pieces).zip(&mut headers).take(count)
        {
            let piece = piece.write(libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: DATAGRAM });
            header.write(message(name, size_of::<libc::sockaddr_storage>(), piece));
        }
        // SAFETY: the loop has written as many; a batch has as many buffers and names as it has room for.
        let headers = unsafe { headers[..count].assume_init_mut() };
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

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::super::note_arrivals;
    use super::*;

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
}
