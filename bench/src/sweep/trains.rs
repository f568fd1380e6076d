//! Sending much for little: datagrams of one length to one address leave as trains (UDP_SEGMENT), which cost the sender a
//! quarter of what they cost one by one.

use std::io;
use std::net::SocketAddrV4;
use std::os::fd::{AsFd, AsRawFd as _};

use crate::error::BenchError;

/// Datagrams of a train.
const MOST: usize = 64;
/// Octets of a train: what one datagram can carry over IPv4.
const LONGEST: usize = 65_507;

/// Datagrams for one address.
pub struct Trains {
    to: SocketAddrV4,
    octets: Vec<u8>,
    lengths: Vec<usize>,
}

impl Trains {
    pub fn new(to: SocketAddrV4) -> Self {
        Self { to, octets: Vec::new(), lengths: Vec::new() }
    }

    /// Adds what `write` appends.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.octets.len();
        write(&mut self.octets);
        self.lengths.push(self.octets.len() - start);
    }

    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Sends all of them.
    pub fn flush(&mut self, socket: impl AsFd) -> Result<(), BenchError> {
        let (mut first, mut start) = (0, 0);
        while let Some(&length) = self.lengths.get(first) {
            let most = MOST.min(LONGEST / length.max(1)).max(1);
            let count = self.lengths[first..].iter().take(most).take_while(|other| **other == length).count();
            let octets = &self.octets[start..start + count * length];
            send(socket.as_fd().as_raw_fd(), self.to, octets, length).map_err(BenchError::system("send"))?;
            (first, start) = (first + count, start + octets.len());
        }
        self.octets.clear();
        self.lengths.clear();
        Ok(())
    }
}

fn send(fd: libc::c_int, to: SocketAddrV4, octets: &[u8], length: usize) -> io::Result<()> {
    let address = socket_address(to);
    let mut piece = libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() };
    let mut beside = [0u64; 3];
    // SAFETY: a msghdr is made of integers and pointers, for which zero is a value.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_name = (&raw const address).cast_mut().cast();
    header.msg_namelen = size_of_val(&address) as libc::socklen_t;
    header.msg_iov = &raw mut piece;
    header.msg_iovlen = 1;
    if octets.len() > length {
        header.msg_control = beside.as_mut_ptr().cast();
        // SAFETY: the macro computes a length, which is that of `beside`.
        header.msg_controllen = unsafe { libc::CMSG_SPACE(2) } as _;
        // SAFETY: the control buffer is aligned, long enough for one part with two octets, and borrowed by nobody else.
        unsafe {
            let part = &mut *libc::CMSG_FIRSTHDR(&header);
            (part.cmsg_level, part.cmsg_type) = (libc::SOL_UDP, libc::UDP_SEGMENT);
            part.cmsg_len = libc::CMSG_LEN(2) as _;
            libc::CMSG_DATA(part).cast::<u16>().write_unaligned(length as u16);
        }
    }
    loop {
        // SAFETY: everything that `header` points at lives through the call and is only read.
        if unsafe { libc::sendmsg(fd, &header, 0) } >= 0 {
            return Ok(());
        }
        match io::Error::last_os_error() {
            // The send buffer empties as fast as the receiver reads.
            error if error.kind() == io::ErrorKind::WouldBlock => std::thread::yield_now(),
            // The answer to an earlier datagram whose receiver has gone.
            error if error.kind() == io::ErrorKind::ConnectionRefused => {}
            error => return Err(error),
        }
    }
}

fn socket_address(to: SocketAddrV4) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: to.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(*to.ip()).to_be() },
        sin_zero: [0; 8],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{SocketAddr, UdpSocket};

    #[test]
    fn all_arrive_in_order() {
        let [from, to] = std::array::from_fn(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
        let SocketAddr::V4(address) = to.local_addr().unwrap() else { panic!("IPv4 was asked for") };
        let mut trains = Trains::new(address);
        let lengths: Vec<usize> = [vec![300; 70], vec![301], vec![300; 2], vec![1], vec![1900; 40]].concat();
        for (number, length) in lengths.iter().enumerate() {
            trains.push(|out| out.resize(out.len() + length, number as u8));
        }
        assert_eq!(trains.len(), lengths.len());
        trains.flush(&from).unwrap();
        for (number, length) in lengths.iter().enumerate() {
            let mut buffer = [0; 2000];
            let count = to.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..count], vec![number as u8; *length]);
        }
        assert_eq!(trains.len(), 0);
    }
}
