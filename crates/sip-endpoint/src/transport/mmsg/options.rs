//! Options of sockets, and what they count.

use std::io;
use std::mem::size_of;
use std::os::fd::AsRawFd;

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

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::super::RecvBatch;
    use super::*;

    #[test]
    fn what_a_socket_had_no_room_for_is_counted() {
        let (a, b) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        socket2::SockRef::from(&b).set_recv_buffer_size(4096).unwrap();
        for _ in 0..100 {
            a.send_to(&[0; 1000], b.local_addr().unwrap()).unwrap();
        }
        let (mut batch, mut came) = (RecvBatch::new(8), 0);
        while let more @ 1.. = batch.receive(&b).unwrap() {
            came += more as u32;
        }
        assert!(came < 100);
        assert_eq!(lost(&b), Some(100 - came));
    }
}
