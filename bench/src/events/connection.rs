//! A client of the event socket.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddrV4, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use crate::error::BenchError;
use crate::events::counter::Counter;
use crate::folder::EVENT_PASSWORD;

/// How long an answer may take before the load begins.
const PATIENCE: Duration = Duration::from_secs(10);

/// Octets a read.
const READ: usize = 256 * 1024;

/// How a client wants its events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Plain,
    Json,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Format::Plain => "plain",
            Format::Json => "JSON",
        }
    }
}

pub struct Connection {
    stream: TcpStream,
    pub seen: Counter,
}

impl Connection {
    /// Connects and gives the password.
    pub fn open(address: SocketAddrV4) -> Result<Self, BenchError> {
        let stream = TcpStream::connect(address)
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .and_then(|stream| stream.set_read_timeout(Some(PATIENCE)).map(|()| stream))
            .map_err(BenchError::system("connect to the event socket"))?;
        let mut connection = Connection { stream, seen: Counter::default() };
        connection.expect("auth/request")?;
        connection.say(&format!("auth {EVENT_PASSWORD}"), "+OK accepted")?;
        Ok(connection)
    }

    /// Asks for MESSAGE events.
    pub fn subscribe(&mut self, format: Format) -> Result<(), BenchError> {
        self.say(&format!("event {} MESSAGE", format.name()), "+OK event listener enabled")
    }

    fn say(&mut self, command: &str, expected: &'static str) -> Result<(), BenchError> {
        self.stream
            .write_all(format!("{command}\n\n").as_bytes())
            .map_err(BenchError::system("write to the event socket"))?;
        self.expect(expected)
    }

    /// Reads a frame without a body; nothing else comes before the load begins.
    fn expect(&mut self, expected: &'static str) -> Result<(), BenchError> {
        let mut said = Vec::new();
        let mut octet = [0];
        while !said.ends_with(b"\n\n") {
            self.stream.read_exact(&mut octet).map_err(BenchError::system("read from the event socket"))?;
            said.extend_from_slice(&octet);
        }
        let said = String::from_utf8_lossy(&said).into_owned();
        if said.contains(expected) { Ok(()) } else { Err(BenchError::EventSocket { expected, said }) }
    }

    /// From here on reading and writing waits for nothing.
    pub fn begin(&mut self) -> Result<(), BenchError> {
        self.stream.set_nonblocking(true).map_err(BenchError::system("set up a connection"))
    }

    /// Reads and counts what is there.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<(), BenchError> {
        match self.stream.read(buffer) {
            Ok(0) => Err(BenchError::EventSocket { expected: "more", said: String::new() }),
            Ok(octets) => {
                self.seen.take(&buffer[..octets]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(BenchError::system("read from the event socket")(error)),
        }
    }

    /// Writes as much as the system takes; how much that was.
    pub fn write(&mut self, octets: &[u8]) -> Result<usize, BenchError> {
        match self.stream.write(octets) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            other => other.map_err(BenchError::system("write to the event socket")),
        }
    }

    /// Reads all that waited for this client, up to where it is told how many events were left out.
    pub fn read_to_the_hole(&mut self) -> Result<u64, BenchError> {
        const MISSED: &str = "Missed-Events";
        let mut buffer = vec![0; READ];
        let mut text = String::new();
        loop {
            let octets =
                self.stream.read(&mut buffer).map_err(BenchError::system("read from the event socket"))?;
            if octets == 0 {
                return Ok(0);
            }
            text.push_str(&String::from_utf8_lossy(&buffer[..octets]));
            if let Some(missed) = text.split(MISSED).nth(1).and_then(number) {
                return Ok(missed);
            }
            // The name may be cut in two, and its number with it.
            let mut keep = text.len().saturating_sub(100);
            while !text.is_char_boundary(keep) {
                keep += 1;
            }
            text.drain(..keep);
        }
    }
}

/// The first number in a text that goes on behind it.
fn number(text: &str) -> Option<u64> {
    let text = text.trim_start_matches(|character: char| !character.is_ascii_digit());
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    text[..end].parse().ok()
}

impl AsRawFd for Connection {
    fn as_raw_fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }
}
