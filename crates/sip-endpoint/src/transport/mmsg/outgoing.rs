//! Sending datagrams, many a call.

use std::io;
use std::mem::{MaybeUninit, size_of, zeroed};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};

use super::message;

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

/// What the header of one datagram or train points at.
struct Frame {
    name: libc::sockaddr_storage,
    piece: libc::iovec,
    beside: [u64; BESIDE],
}

impl Frame {
    fn of(octets: &[u8]) -> Self {
        // SAFETY: sockaddr_storage is plain octets; all zero is a valid value.
        let name = unsafe { zeroed() };
        let piece = libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() };
        Self { name, piece, beside: [0; BESIDE] }
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
        let mut frames = [const { MaybeUninit::<Frame>::uninit() }; MOST];
        let mut headers = [const { MaybeUninit::uninit() }; MOST];
        let mut counts = [0; MOST];
        let (mut next, mut used) = (0, 0);
        while used < MOST && next < parts.len() {
            let count = self.train(&parts[next..]);
            let (first, last) = (&parts[next], &parts[next + count - 1]);
            let frame = frames[used].write(Frame::of(&self.octets[first.start..last.end]));
            let length = write_address(first.to, &mut frame.name);
            let header = headers[used].write(message(&raw mut frame.name, length, &raw mut frame.piece));
            if count > 1 {
                couple(&mut header.msg_hdr, &mut frame.beside, first.len() as u16);
            }
            counts[used] = count;
            (next, used) = (next + count, used + 1);
        }
        // SAFETY: the loop has written so many headers. What they point at lives across the call; the kernel only reads it.
        let sent =
            unsafe { libc::sendmmsg(fd, headers.as_mut_ptr().cast(), used as u32, libc::MSG_NOSIGNAL) };
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

/// The length of the name.
fn write_address(to: SocketAddr, name: &mut libc::sockaddr_storage) -> usize {
    match to {
        SocketAddr::V4(v4) => {
            // SAFETY: sockaddr_storage is large enough and aligned for every address family.
            let out = unsafe { &mut *(&raw mut *name).cast::<libc::sockaddr_in>() };
            out.sin_family = libc::AF_INET as u16;
            out.sin_port = v4.port().to_be();
            out.sin_addr.s_addr = u32::from(*v4.ip()).to_be();
            size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(v6) => {
            // SAFETY: sockaddr_storage is large enough and aligned for every address family.
            let out = unsafe { &mut *(&raw mut *name).cast::<libc::sockaddr_in6>() };
            out.sin6_family = libc::AF_INET6 as u16;
            out.sin6_port = v6.port().to_be();
            out.sin6_addr.s6_addr = v6.ip().octets();
            out.sin6_scope_id = v6.scope_id();
            size_of::<libc::sockaddr_in6>()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::super::RecvBatch;
    use super::*;

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
}
