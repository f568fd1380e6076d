//! The floor: a relay with one receive and one send call a packet, on one thread, that looks at no byte of it. A
//! message is four packets through it: MESSAGE in and out, 200 in and out.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

use crate::error::BenchError;
use crate::udp;

/// Relays until the process is ended. Prints the port first.
pub fn relay(sender: SocketAddrV4, receiver: SocketAddrV4) -> Result<(), BenchError> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(BenchError::system("open a socket"))?;
    udp::set_receive_buffer(&socket).map_err(BenchError::system("set the receive buffer"))?;
    let port = socket.local_addr().map_err(BenchError::system("ask for the port"))?.port();
    let mut out = std::io::stdout();
    writeln!(out, "{port}").and_then(|()| out.flush()).map_err(BenchError::system("print the port"))?;
    let mut packet = [0; 65_536];
    loop {
        // A refused packet is told at the next call on the socket; it concerns no other packet.
        let Ok((length, from)) = socket.recv_from(&mut packet) else { continue };
        let to = if from == SocketAddr::V4(receiver) { sender } else { receiver };
        let _ = socket.send_to(&packet[..length], to);
    }
}
