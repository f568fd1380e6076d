//! The only unsafe code of the crate: epoll, eventfd, `recvmmsg`, `sendmmsg`, `getrlimit` and a few socket options behind
//! safe types.

mod incoming;
mod limits;
mod options;
mod outgoing;
mod poll;

pub use self::incoming::RecvBatch;
pub use self::limits::{descriptors, raise_descriptors};
pub use self::options::{choose_by, lost, note_arrivals};
pub use self::outgoing::SendBatch;
pub use self::poll::{EventFd, Poller, Ready};

/// Of one name and one piece, which are borrowed for as long as it is handed to the kernel.
fn message(name: *mut libc::sockaddr_storage, name_length: usize, piece: *mut libc::iovec) -> libc::mmsghdr {
    // SAFETY: mmsghdr is pointers and integers; all zero is a valid value.
    let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
    message.msg_hdr.msg_name = name.cast();
    message.msg_hdr.msg_namelen = name_length as libc::socklen_t;
    message.msg_hdr.msg_iov = piece;
    message.msg_hdr.msg_iovlen = 1;
    message
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

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
}
