//! Opening the sockets of a profile.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use rustix::net::sockopt::set_socket_recv_buffer_size_force;
use socket2::{Domain, Protocol, Socket, Type};

use super::{mmsg, steer};

/// Room in the kernel for bursts, octets, of which an ordinary user gets net.core.rmem_max.
const BUFFER: usize = 32 << 20;

/// What one shard reads from and sends by.
#[derive(Debug)]
pub struct Pair {
    /// Everything comes here but what comes to `answers`.
    pub requests: UdpSocket,
    /// `None` where the system does not keep answers apart.
    pub answers: Option<UdpSocket>,
}

impl Pair {
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.requests.local_addr()
    }
}

/// The sockets of `count` shards on one address, among which the kernel spreads the senders.
/// With port 0 the first one chooses the port of all.
pub fn open(addr: SocketAddr, count: usize) -> io::Result<Vec<Pair>> {
    let first = bind(addr)?;
    let addr = first.local_addr()?;
    let mut requests = vec![first];
    for _ in 1..count {
        requests.push(bind(addr)?);
    }
    for socket in &requests {
        // Without arrival times nothing is known to be late, and nothing refused for it.
        if let Err(error) = mmsg::note_arrivals(socket) {
            tracing::debug!(%error, "the system does not tell when datagrams came");
        }
    }
    let mut answers = apart(&requests, addr)?.into_iter();
    Ok(requests.into_iter().map(|requests| Pair { requests, answers: answers.next() }).collect())
}

/// Sockets without a port, for shards whose profile takes no datagrams.
pub fn without_port(addr: SocketAddr, count: usize) -> io::Result<Vec<Pair>> {
    let open = |_| {
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        Ok(Pair { requests: socket.into(), answers: None })
    };
    (0..count).map(open).collect()
}

/// The sockets for answers, none where the system can't tell them from requests. Bound behind those for requests: the order
/// is what the program goes by.
fn apart(requests: &[UdpSocket], addr: SocketAddr) -> io::Result<Vec<UdpSocket>> {
    let shards = u32::try_from(requests.len()).unwrap_or(u32::MAX);
    if let Err(error) = mmsg::choose_by(&requests[0], &steer::program(shards, addr.is_ipv6())) {
        tracing::debug!(%error, "answers and requests share a socket");
        return Ok(Vec::new());
    }
    requests.iter().map(|_| bind(addr)).collect()
}

fn bind(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    // Smaller buffers work as well, only bursts are shorter. More than the system gives everybody takes CAP_NET_ADMIN.
    if set_socket_recv_buffer_size_force(&socket, BUFFER).is_err() {
        let _ = socket.set_recv_buffer_size(BUFFER);
    }
    let _ = socket.set_send_buffer_size(BUFFER);
    socket.bind(&addr.into())?;
    Ok(socket.into())
}

/// Whether somebody else listens on this UDP port: with SO_REUSEPORT a bind would succeed and share the datagrams.
pub fn is_taken(addr: SocketAddr) -> bool {
    if addr.port() == 0 {
        return false;
    }
    let probe = || -> io::Result<()> {
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
        if addr.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&addr.into())
    };
    probe().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// The TCP listener of a profile.
pub fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sockets_have_the_port_of_the_first() {
        for at in ["127.0.0.1:0", "[::1]:0"] {
            let sockets = open(at.parse().unwrap(), 3).unwrap();
            let addrs: Vec<_> = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
            assert_eq!(addrs, vec![addrs[0]; 3]);
            assert!(is_taken(addrs[0]));
        }
    }
}
