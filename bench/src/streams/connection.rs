//! One client's connection.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use chappe_sip_msg::stream::{Frame, Framer};
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use socket2::{Domain, Socket, Type};

use super::websocket::{self, Frames, UPGRADE, UPGRADED};
use crate::certificates::certificates;
use crate::error::BenchError;
use crate::transport::{Here, Transport, is_encrypted, is_websocket};
use crate::wire::Take;

/// How long an answer may take before the load begins.
const PATIENCE: Duration = Duration::from_secs(10);
const READ: usize = 16 * 1024;

pub struct Connection {
    pub here: Here,
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    cutter: Cutter,
    /// What is to go out, framed; without TLS.
    out: Vec<u8>,
}

/// How what comes is cut into messages.
enum Cutter {
    Plain(Framer),
    WebSocket(Frames),
}

impl Connection {
    /// Connects, with all handshakes done.
    pub fn open(transport: Transport, server: SocketAddrV4) -> Result<Self, BenchError> {
        Self::open_from(Ipv4Addr::LOCALHOST, transport, server)
    }

    /// The same from another address of the loopback network.
    pub fn open_from(
        source: Ipv4Addr,
        transport: Transport,
        server: SocketAddrV4,
    ) -> Result<Self, BenchError> {
        let (stream, address) = connect(source, server).map_err(BenchError::system("connect"))?;
        let tls = is_encrypted(transport).then(|| {
            let name = ServerName::IpAddress(IpAddr::V4(*server.ip()).into());
            let mut tls = ClientConnection::new(certificates().client.clone(), name)?;
            tls.set_buffer_limit(None);
            Ok::<_, rustls::Error>(Box::new(tls))
        });
        let tls =
            tls.transpose().map_err(|error| BenchError::Connection(format!("TLS can't begin: {error}")))?;
        let cutter = match is_websocket(transport) {
            true => Cutter::WebSocket(Frames::default()),
            false => Cutter::Plain(Framer::default()),
        };
        let mut connection =
            Connection { here: Here { transport, address }, stream, tls, cutter, out: Vec::new() };
        connection.shake_hands()?;
        Ok(connection)
    }

    fn shake_hands(&mut self) -> Result<(), BenchError> {
        if let Some(tls) = &mut self.tls {
            tls.complete_io(&mut self.stream).map_err(BenchError::system("shake hands by TLS"))?;
        }
        if !is_websocket(self.here.transport) {
            return Ok(());
        }
        self.out.extend_from_slice(UPGRADE.as_bytes());
        self.flush()?;
        let mut said = Vec::new();
        let mut buffer = [0; READ];
        let end = Instant::now() + PATIENCE;
        while !said.ends_with(b"\r\n\r\n") && Instant::now() < end {
            let count = self.read(&mut buffer)?;
            said.extend_from_slice(&buffer[..count]);
        }
        match said.starts_with(UPGRADED) {
            true => Ok(()),
            false => Err(BenchError::Connection(format!(
                "the answer to the upgrade is {:?}",
                String::from_utf8_lossy(&said)
            ))),
        }
    }

    /// Sends a request, and waits until `is_answer` knows the answer to it. `None`: none came.
    pub fn ask(
        &mut self,
        request: &[u8],
        is_answer: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<Vec<u8>>, BenchError> {
        self.queue(request);
        self.flush()?;
        let mut found = None;
        let (mut buffer, mut unused) = ([0; READ], Vec::new());
        let end = Instant::now() + PATIENCE;
        while found.is_none() && Instant::now() < end {
            self.receive(&mut buffer, &mut unused, &mut |message, _, _| {
                if is_answer(message) {
                    found = Some(message.to_vec());
                }
            })?;
        }
        Ok(found)
    }

    /// From here on reading and writing waits for nothing.
    pub fn begin(&mut self) -> Result<(), BenchError> {
        self.stream.set_nonblocking(true).map_err(BenchError::system("set up a connection"))
    }

    /// What remains of it for who neither sends nor reads any more: it stays open.
    pub fn leave(self) -> TcpStream {
        self.stream
    }

    /// Whether something is to go out.
    pub fn is_waiting(&self) -> bool {
        !self.out.is_empty() || self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Adds a message to what is to go out; whether it is the first there.
    pub fn queue(&mut self, message: &[u8]) -> bool {
        let is_first = !self.is_waiting();
        queue(&self.cutter, message, &mut self.out);
        is_first
    }

    /// Sends what the system takes; whether that was all.
    pub fn flush(&mut self) -> Result<bool, BenchError> {
        match self.write() {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(BenchError::system("write to a connection")(error)),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            while !self.out.is_empty() {
                let count = self.stream.write(&self.out)?;
                self.out.drain(..count);
            }
            return Ok(());
        };
        if !self.out.is_empty() {
            tls.writer().write_all(&self.out)?;
            self.out.clear();
        }
        while tls.wants_write() {
            tls.write_tls(&mut self.stream)?;
        }
        Ok(())
    }

    /// Reads once, and hands out the messages that are whole; their answers are queued. How many there were.
    pub fn receive(
        &mut self,
        buffer: &mut [u8],
        answer: &mut Vec<u8>,
        take: Take<'_>,
    ) -> Result<usize, BenchError> {
        let mut came = 0;
        let count = self.read(buffer)?;
        if count == 0 {
            return Ok(0);
        }
        match &mut self.cutter {
            Cutter::Plain(framer) => framer.push(&buffer[..count]),
            Cutter::WebSocket(frames) => frames.push(&buffer[..count]),
        }
        let now = Instant::now();
        loop {
            let message = match &mut self.cutter {
                Cutter::WebSocket(frames) => frames.next(),
                Cutter::Plain(framer) => match framer.next() {
                    Ok(Some(Frame::Message(message))) => Some(message),
                    Ok(Some(Frame::Ping)) => continue,
                    Ok(None) => None,
                    Err(error) => return Err(BenchError::Connection(error.to_string())),
                },
            };
            let Some(message) = message else { return Ok(came) };
            came += 1;
            answer.clear();
            take(message, now, answer);
            if !answer.is_empty() {
                queue(&self.cutter, answer, &mut self.out);
            }
        }
    }

    /// What there is in plain text, of one read; 0: nothing yet. The end of the connection is an error.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, BenchError> {
        match read(&mut self.stream, self.tls.as_deref_mut(), buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            other => other.map_err(BenchError::system("read from a connection")),
        }
    }
}

fn read(stream: &mut TcpStream, tls: Option<&mut ClientConnection>, buffer: &mut [u8]) -> io::Result<usize> {
    let ended = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let Some(tls) = tls else {
        return match stream.read(buffer)? {
            0 => Err(ended()),
            count => Ok(count),
        };
    };
    if tls.read_tls(stream)? == 0 {
        return Err(ended());
    }
    tls.process_new_packets().map_err(io::Error::other)?;
    let mut count = 0;
    // One record at a time comes out.
    while count < buffer.len() {
        match tls.reader().read(&mut buffer[count..]) {
            Ok(0) => return Err(ended()),
            Ok(some) => count += some,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

fn queue(cutter: &Cutter, message: &[u8], out: &mut Vec<u8>) {
    match cutter {
        Cutter::Plain(_) => out.extend_from_slice(message),
        Cutter::WebSocket(_) => websocket::frame(message, out),
    }
}

fn connect(source: Ipv4Addr, server: SocketAddrV4) -> io::Result<(TcpStream, SocketAddrV4)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddrV4::new(source, 0).into())?;
    socket.connect(&server.into())?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    match stream.local_addr()? {
        SocketAddr::V4(address) => Ok((stream, address)),
        SocketAddr::V6(_) => Err(io::ErrorKind::AddrNotAvailable.into()),
    }
}

impl AsRawFd for Connection {
    fn as_raw_fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }
}
