//! One connection, from the first attempt to its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chappe_chat::Router;
use chappe_event::{Event, header};
use chappe_event_socket::command::{Command, Limits, ParseError, Parser};
use chappe_event_socket::{Member, OutboundConfig, write_frames};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use crate::handling::Handling;
use crate::outbound::{Handled, Outbound};
use crate::{Place, SocketError, Target};

const READ_OCTETS: usize = 16 * 1024;

/// How long a program has to take its last frames.
const GOODBYE_TIME: Duration = Duration::from_secs(5);

/// How long what it still sends is read and thrown away.
const DISCARD_TIME: Duration = Duration::from_secs(1);

/// Connects, has the message handled, and tells `done` what became of it.
pub(crate) async fn run(
    outbound: Arc<Outbound>,
    config: Arc<OutboundConfig>,
    target: Target,
    mut message: Event,
    router: Arc<Router>,
    done: oneshot::Sender<Handled>,
) {
    let deadline = Instant::now() + config.timeout;
    let (stream, peer, place) = match reach(&outbound, &config, &target, deadline).await {
        Ok(reached) => reached,
        // The message may be gone meanwhile; nobody waits then.
        Err(error) => return drop(done.send((message, Err(error)))),
    };
    name(&mut message, &place);
    tracing::debug!(%peer, "a program is asked to handle a message");
    let member = Arc::new(Member::new(peer.ip().to_canonical(), config.max_queue_len));
    outbound.hub.add(member.clone());
    let (reader, socket) = stream.into_split();
    let mut writing = tokio::spawn(write(socket, member.clone(), outbound.clone()));
    let mut incoming = Incoming::new(reader);
    let handling = Handling::new(outbound.clone(), config, router, member.clone(), message, target.mode);
    let listened = handling.run(&mut incoming, deadline, done).await;
    outbound.hub.remove(&member);
    if listened {
        outbound.deps.bus.refresh();
        outbound.deps.log_bus.refresh();
    }
    if timeout(GOODBYE_TIME, &mut writing).await.is_err() {
        writing.abort();
    }
    // Closing on octets nobody read would take the last frames from the program again.
    let _ = timeout(DISCARD_TIME, incoming.discard()).await;
    tracing::debug!(%peer, "the connection to a program is closed");
}

async fn write(socket: OwnedWriteHalf, member: Arc<Member>, outbound: Arc<Outbound>) {
    write_frames(socket, member.clone(), outbound.deps.clone()).await;
    // Where nothing can be written, nobody waits for room.
    member.outbox.close(None);
}

/// A connection to the program, unless the time is over or the server ends before.
async fn reach(
    outbound: &Outbound,
    config: &OutboundConfig,
    target: &Target,
    deadline: Instant,
) -> Result<(TcpStream, SocketAddr, Place), SocketError> {
    let mut stopping = outbound.stopping.subscribe();
    let connected = tokio::select! {
        connected = timeout_at(deadline, connect(target, config.connect_timeout)) => connected,
        _ = stopping.wait_for(|stopping| *stopping) => return Err(SocketError::Stopping),
    };
    let (stream, place) = connected.unwrap_or(Err(SocketError::TooLate(config.timeout)))?;
    match stream.peer_addr() {
        Ok(peer) => Ok((stream, peer, place)),
        // It has closed already.
        Err(_) => Err(SocketError::Silent),
    }
}

/// The first place that takes the connection.
async fn connect(target: &Target, time: Duration) -> Result<(TcpStream, Place), SocketError> {
    let mut last = SocketError::NoHost;
    for place in &target.places {
        let connecting = TcpStream::connect((place.host.as_str(), place.port));
        let connected = match timeout(time, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")),
        };
        match connected {
            Ok(stream) => {
                // Small frames go out at once; a program that is gone is noticed by the time limit.
                let _ = stream.set_nodelay(true);
                return Ok((stream, place.clone()));
            }
            Err(source) => {
                tracing::debug!(%place, error = %source, "a program can't be reached");
                last = SocketError::Connect { place: place.to_string(), source };
            }
        }
    }
    Err(last)
}

/// What the program finds of how it was reached, as in FreeSWITCH; and by what name the message goes.
fn name(message: &mut Event, place: &Place) {
    message.set("socket_host", &place.host);
    if let Some(path) = &place.path {
        message.set("socket_path", path);
    }
    if message.get(header::UNIQUE_ID).is_none() {
        message.set(header::UNIQUE_ID, uuid::Uuid::new_v4().to_string());
    }
}

/// Commands as they arrive.
pub(crate) struct Incoming {
    reader: OwnedReadHalf,
    parser: Parser,
    buffer: Vec<u8>,
}

/// Why there are no more commands.
pub(crate) enum Lost {
    Closed,
    Unreadable(ParseError),
}

impl Incoming {
    fn new(reader: OwnedReadHalf) -> Self {
        Self { reader, parser: Parser::new(Limits::AFTER_AUTH), buffer: vec![0; READ_OCTETS] }
    }

    /// The next command. Nothing is lost when this is given up half way.
    pub(crate) async fn command(&mut self) -> Result<Command, Lost> {
        loop {
            if let Some(command) = self.parser.take().map_err(Lost::Unreadable)? {
                return Ok(command);
            }
            match self.reader.read(&mut self.buffer).await {
                Ok(octets) if octets > 0 => self.parser.push(&self.buffer[..octets]),
                // A program that closes before it read everything resets the connection: that is a close as well.
                _ => return Err(Lost::Closed),
            }
        }
    }

    async fn discard(&mut self) {
        while matches!(self.reader.read(&mut self.buffer).await, Ok(1..)) {}
    }
}
