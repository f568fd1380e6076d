//! The life of one connection, whatever it is made of: it reads, cuts and hands over, and writes what waits for it.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use chappe_sip_proto::{Peer, Transport};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout};

use super::connections::Connections;
use super::cut::{Broken, Cut, Cutter};
use super::limits::{ARRIVAL, Held, LAST_WORDS, STRANGER};
use super::outbox::{Out, Waiting};
use crate::shard::Mail;

/// Octets read at a time.
const READ: usize = 16 * 1024;

/// Octets both ways: TCP or TLS.
pub trait Octets: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Octets for S {}

/// A connection that can be read and written, its handshakes behind it.
pub struct Open {
    pub octets: Box<dyn Octets>,
    pub cutter: Box<dyn Cutter>,
}

/// What came of the octets that were there.
enum Cutting {
    /// So many messages and keep-alives; whether there was a message.
    Goes { any: bool, message: bool },
    /// Nothing more can be read. `true`: the shard has an answer.
    Ends(bool),
}

/// Runs the connection to its end; it is out of the table then.
pub async fn run(connections: &Connections, peer: Peer, open: Open, waiting: Waiting) {
    let Open { octets, mut cutter } = open;
    let (input, output) = tokio::io::split(octets);
    let framed = matches!(peer.transport, Transport::Ws | Transport::Wss);
    let mut write = pin!(waiting.write(output, framed));
    tokio::select! {
        () = read(connections, peer, input, &mut *cutter) => {}
        _ = &mut write => return connections.lost(&peer),
    }
    // Without its outbox in the table, the writer ends when everything was written.
    connections.lost(&peer);
    let _ = timeout(LAST_WORDS, write).await;
}

async fn read(
    connections: &Connections,
    peer: Peer,
    mut input: impl AsyncRead + Unpin,
    cutter: &mut dyn Cutter,
) {
    let mut held = Held::new(connections.unfinished());
    let mut begun: Option<Instant> = None;
    let mut known = false;
    loop {
        match cut(connections, &peer, cutter).await {
            Cutting::Goes { any, message } => {
                known |= message;
                let same = begun.filter(|_| !any);
                begun = cutter.has_begun().then(|| same.unwrap_or_else(Instant::now));
            }
            Cutting::Ends(answered) => {
                if answered {
                    tokio::time::sleep(LAST_WORDS).await;
                }
                return;
            }
        }
        if !held.set(cutter.held()) {
            return connections.complain_of_unfinished(&peer);
        }
        let silent = Silence { begun, known, since: Instant::now() };
        loop {
            let patience = silent.patience(connections, &peer);
            match timeout(patience, fill(&mut input, cutter)).await {
                Ok(Ok(1..)) => break,
                Err(_) if !silent.patience(connections, &peer).is_zero() => {}
                _ => return,
            }
        }
    }
}

/// What a connection is waited for.
struct Silence {
    /// When the message began that is not whole yet.
    begun: Option<Instant>,
    /// A message has come before.
    known: bool,
    since: Instant,
}

impl Silence {
    /// How long it may go on until it is looked at again; zero: no longer. Whether the connection is a flow is known only once
    /// the REGISTER that came by it is answered.
    fn patience(&self, connections: &Connections, peer: &Peer) -> Duration {
        let (limits, passed) = (connections.limits(), self.since.elapsed());
        match (self.begun, limits.flow.filter(|flow| *flow < limits.idle)) {
            (Some(begun), _) => ARRIVAL.saturating_sub(begun.elapsed()),
            (None, _) if !self.known => limits.idle.min(STRANGER).saturating_sub(passed),
            (None, Some(flow)) if passed < flow => flow - passed,
            (None, Some(_)) if connections.is_flow(peer) => Duration::ZERO,
            (None, _) => limits.idle.saturating_sub(passed),
        }
    }
}

/// Hands over what is whole. While the shard's mailbox is full it waits, and nothing more is read: the sender is slowed down by
/// its own connection.
async fn cut(connections: &Connections, peer: &Peer, cutter: &mut dyn Cutter) -> Cutting {
    let (mut any, mut message) = (false, false);
    loop {
        match cutter.next() {
            Ok(None) => return Cutting::Goes { any, message },
            Ok(Some(Cut::Message(octets))) => {
                message = true;
                let mail = Mail::Frame { peer: *peer, bytes: Bytes::copy_from_slice(octets) };
                connections.post_in_time(peer, mail).await;
            }
            Ok(Some(Cut::Alive(answer))) => {
                if answer.is_some_and(|answer| connections.put(peer, Out::Raw(answer)).is_err()) {
                    return Cutting::Ends(false);
                }
            }
            Ok(Some(Cut::Goodbye(last))) => {
                let _ = connections.put(peer, Out::Raw(last));
                return Cutting::Ends(false);
            }
            Err(broken) => return refuse(connections, peer, cutter, broken).await,
        }
        any = true;
    }
}

async fn refuse(connections: &Connections, peer: &Peer, cutter: &mut dyn Cutter, broken: Broken) -> Cutting {
    tracing::debug!(%peer, "a connection is closed: {}", broken.why);
    if let Some(last) = broken.last {
        let _ = connections.put(peer, Out::Raw(last));
    }
    let Some(code) = broken.status else { return Cutting::Ends(false) };
    let bytes = Bytes::copy_from_slice(cutter.rest());
    connections.post_in_time(peer, Mail::Refused { peer: *peer, bytes, code }).await;
    Cutting::Ends(true)
}

/// Reads what is there. The buffer is the thread's and not the connection's: thousands of idle ones cost no memory.
async fn fill(input: &mut (impl AsyncRead + Unpin), cutter: &mut dyn Cutter) -> io::Result<usize> {
    poll_fn(|context| {
        let mut room = [MaybeUninit::uninit(); READ];
        let mut buffer = ReadBuf::uninit(&mut room);
        match Pin::new(&mut *input).poll_read(context, &mut buffer) {
            Poll::Ready(Ok(())) => {
                cutter.push(buffer.filled());
                Poll::Ready(Ok(buffer.filled().len()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
