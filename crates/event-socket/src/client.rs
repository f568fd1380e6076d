//! A client of an event socket: connects, runs API commands, and hears events.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use self::frame::FrameReader;
pub use self::frame::{Frame, FrameError};

mod frame;

/// How long a server may take to let a client in and to answer a command, unless said otherwise.
pub const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Events that may wait while a reply is awaited; older ones go.
const MAX_WAITING: usize = 100_000;

/// Why a client got no answer.
#[derive(Debug, Error)]
pub enum ClientError {
    #[error("connect to {address}: {source}")]
    Connect { address: String, source: io::Error },
    #[error("{0} is no event socket: it sent no greeting that can be read")]
    NoEventSocket(String),
    #[error("this host is not let in: {0}")]
    Rejected(String),
    #[error("wrong password")]
    WrongPassword,
    #[error("no answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("the server closed the connection")]
    Closed,
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("a command can't hold a line break")]
    LineBreak,
    #[error("the server answered `{0}`")]
    Refused(String),
}

impl From<io::Error> for ClientError {
    /// A server that closes before it read everything resets the connection, which is no other news to the user.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Broken(error),
        }
    }
}

/// An authenticated connection.
pub struct Client {
    stream: TcpStream,
    reader: FrameReader,
    buffer: Vec<u8>,
    answer_time: Duration,
    /// Events and log lines that came while a reply was awaited.
    waiting: VecDeque<Frame>,
}

impl Client {
    /// Connects to `HOST:PORT` and gives the password.
    pub async fn connect(address: &str, password: &str) -> Result<Self, ClientError> {
        Self::connect_within(ANSWER_TIME, address, password).await
    }

    /// As [`Client::connect`], with another time to wait for each answer.
    pub async fn connect_within(
        answer_time: Duration,
        address: &str,
        password: &str,
    ) -> Result<Self, ClientError> {
        Self::connect_as(answer_time, address, None, password).await
    }

    /// As [`Client::connect_within`], as a user of the directory (`USER@DOMAIN`) when one is given.
    pub async fn connect_as(
        answer_time: Duration,
        address: &str,
        user: Option<&str>,
        password: &str,
    ) -> Result<Self, ClientError> {
        let connecting = timeout(answer_time, TcpStream::connect(address));
        let stream = match connecting.await {
            Ok(connected) => {
                connected.map_err(|source| ClientError::Connect { address: address.to_owned(), source })?
            }
            Err(_) => return Err(ClientError::TimedOut(answer_time)),
        };
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream,
            reader: FrameReader::default(),
            buffer: vec![0; 16 * 1024],
            answer_time,
            waiting: VecDeque::new(),
        };
        client.authenticate(address, user, password).await?;
        Ok(client)
    }

    async fn authenticate(
        &mut self,
        address: &str,
        user: Option<&str>,
        password: &str,
    ) -> Result<(), ClientError> {
        let greeting = match self.frame_in_time().await {
            Err(ClientError::Frame(_)) => return Err(ClientError::NoEventSocket(address.to_owned())),
            other => other?,
        };
        match greeting.content_type() {
            "auth/request" => {}
            "text/rude-rejection" | "text/disconnect-notice" => {
                return Err(ClientError::Rejected(greeting.text().trim_end().to_owned()));
            }
            _ => return Err(ClientError::NoEventSocket(address.to_owned())),
        }
        let line = match user {
            Some(user) => format!("userauth {user}:{password}"),
            None => format!("auth {password}"),
        };
        match self.command(&line).await {
            Err(ClientError::Refused(_)) => Err(ClientError::WrongPassword),
            other => other.map(drop),
        }
    }

    /// Gives a command and waits for nothing: its reply comes out of [`Client::next`], among events and log lines, in the
    /// order in which commands were given.
    pub async fn start(&mut self, line: &str, headers: &[(&str, &str)]) -> Result<(), ClientError> {
        self.send(one_line(line)?, headers, None).await
    }

    /// Runs an API command and gives what it said, failure (`-ERR ...`) included.
    pub async fn api(&mut self, command: &str) -> Result<String, ClientError> {
        self.send(&format!("api {}", one_line(command)?), &[], None).await?;
        Ok(self.answer().await?.text())
    }

    /// As [`Client::api`], as typed at a console.
    pub async fn console(&mut self, command: &str) -> Result<String, ClientError> {
        self.send(&format!("api {}", one_line(command)?), &[("console_execute", "true")], None).await?;
        Ok(self.answer().await?.text())
    }

    /// Gives any other command, and the text of its reply. A reply that begins with `-ERR` is an error.
    pub async fn command(&mut self, line: &str) -> Result<String, ClientError> {
        self.send(one_line(line)?, &[], None).await?;
        self.accepted().await
    }

    /// Fires an event on the server, and gives its identifier.
    pub async fn send_event(
        &mut self,
        name: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<String, ClientError> {
        self.send(&format!("sendevent {}", one_line(name)?), headers, body).await?;
        Ok(self.accepted().await?.trim_start_matches("+OK ").to_owned())
    }

    /// The next event or log line; waits as long as it takes. Nothing is lost when the wait is given up.
    pub async fn next(&mut self) -> Result<Frame, ClientError> {
        match self.waiting.pop_front() {
            Some(frame) => Ok(frame),
            None => self.frame().await,
        }
    }

    /// As [`Client::next`], but `None` when nothing came in time.
    pub async fn next_within(&mut self, time: Duration) -> Result<Option<Frame>, ClientError> {
        match timeout(time, self.next()).await {
            Ok(frame) => frame.map(Some),
            Err(_) => Ok(None),
        }
    }

    async fn accepted(&mut self) -> Result<String, ClientError> {
        let text = self.answer().await?.header("Reply-Text").unwrap_or_default().to_owned();
        if text.starts_with("-ERR") { Err(ClientError::Refused(text)) } else { Ok(text) }
    }

    async fn send(
        &mut self,
        line: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<(), ClientError> {
        let mut text = format!("{line}\n");
        for (name, value) in headers {
            text += &format!("{}: {}\n", one_line(name)?, one_line(value)?);
        }
        if let Some(body) = body {
            text += &format!("Content-Length: {}\n", body.len());
        }
        text.push('\n');
        let mut octets = text.into_bytes();
        octets.extend_from_slice(body.unwrap_or_default());
        match timeout(self.answer_time, self.stream.write_all(&octets)).await {
            Ok(written) => Ok(written?),
            Err(_) => Err(ClientError::TimedOut(self.answer_time)),
        }
    }

    /// The reply to the command that was sent last; what comes before it is kept for [`Client::next`].
    async fn answer(&mut self) -> Result<Frame, ClientError> {
        loop {
            let frame = self.frame_in_time().await?;
            match frame.content_type() {
                "command/reply" | "api/response" => return Ok(frame),
                "text/disconnect-notice" => return Err(ClientError::Closed),
                _ => {
                    if self.waiting.len() == MAX_WAITING {
                        self.waiting.pop_front();
                    }
                    self.waiting.push_back(frame);
                }
            }
        }
    }

    async fn frame_in_time(&mut self) -> Result<Frame, ClientError> {
        let time = self.answer_time;
        timeout(time, self.frame()).await.unwrap_or(Err(ClientError::TimedOut(time)))
    }

    async fn frame(&mut self) -> Result<Frame, ClientError> {
        loop {
            if let Some(frame) = self.reader.next()? {
                return Ok(frame);
            }
            match self.stream.read(&mut self.buffer).await? {
                0 => return Err(ClientError::Closed),
                octets => self.reader.push(&self.buffer[..octets]),
            }
        }
    }
}

fn one_line(text: &str) -> Result<&str, ClientError> {
    if text.contains(['\r', '\n']) { Err(ClientError::LineBreak) } else { Ok(text) }
}
