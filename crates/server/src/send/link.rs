//! The way to the server: one UDP socket or one TCP connection, waited for without a runtime.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use chappe_sip_msg::stream::{Frame, FrameLimits, Framer};

use crate::cli::Transport;

/// Bytes read at once: more than any UDP datagram has.
const BUFFER: usize = 65_536;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

pub struct Link {
    socket: Socket,
    server: SocketAddr,
    buffer: Vec<u8>,
}

enum Socket {
    Udp(UdpSocket),
    Tcp(TcpStream, Box<Framer>),
}

impl Link {
    pub fn connect(transport: Transport, server: SocketAddr) -> io::Result<Self> {
        let socket = match transport {
            Transport::Udp => {
                let any = if server.is_ipv4() {
                    Ipv4Addr::UNSPECIFIED.into()
                } else {
                    Ipv6Addr::UNSPECIFIED.into()
                };
                let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
                // Connected, so that a port where nobody listens is an error and not a silence.
                socket.connect(server)?;
                Socket::Udp(socket)
            }
            Transport::Tcp => {
                let stream = TcpStream::connect_timeout(&server, CONNECT_TIMEOUT)?;
                stream.set_nodelay(true)?;
                Socket::Tcp(stream, Box::new(Framer::new(FrameLimits::default())))
            }
        };
        Ok(Self { socket, server, buffer: vec![0; BUFFER] })
    }

    pub fn server(&self) -> SocketAddr {
        self.server
    }

    pub fn local(&self) -> io::Result<SocketAddr> {
        match &self.socket {
            Socket::Udp(socket) => socket.local_addr(),
            Socket::Tcp(stream, _) => stream.local_addr(),
        }
    }

    pub fn is_reliable(&self) -> bool {
        matches!(self.socket, Socket::Tcp(..))
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.socket {
            Socket::Udp(socket) => socket.send(bytes).map(drop),
            Socket::Tcp(stream, _) => stream.write_all(bytes),
        }
    }

    /// The next message, or nothing when none came before `until`. A connection closed by the server is
    /// [`ErrorKind::UnexpectedEof`].
    pub fn receive(&mut self, until: Instant) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(message) = self.framed()? {
                return Ok(Some(message));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let read = match &mut self.socket {
                Socket::Udp(socket) => {
                    socket.set_read_timeout(Some(left))?;
                    socket.recv(&mut self.buffer)
                }
                Socket::Tcp(stream, _) => {
                    stream.set_read_timeout(Some(left))?;
                    stream.read(&mut self.buffer)
                }
            };
            match (read, &mut self.socket) {
                (Ok(length), Socket::Udp(_)) => return Ok(Some(self.buffer[..length].to_vec())),
                (Ok(0), Socket::Tcp(..)) => return Err(ErrorKind::UnexpectedEof.into()),
                (Ok(length), Socket::Tcp(_, framer)) => framer.push(&self.buffer[..length]),
                (Err(error), _) if is_pause(error.kind()) => {}
                (Err(error), _) => return Err(error),
            }
        }
    }

    fn framed(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Socket::Tcp(stream, framer) = &mut self.socket else { return Ok(None) };
        loop {
            match framer.next().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))? {
                Some(Frame::Message(bytes)) => return Ok(Some(bytes.to_vec())),
                Some(Frame::Ping) => stream.write_all(b"\r\n")?,
                None => return Ok(None),
            }
        }
    }
}

fn is_pause(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
