//! TCP connections: each a task that reads frames into a shard's mailbox and writes what the shards send.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use chappe_sip_msg::stream::{Frame, Framer};
use chappe_sip_proto::{ConnectionId, Peer, Transport};
use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::mmsg::descriptors;
use crate::shard::{Mail, Mailbox};

/// Messages that may wait to be written to one peer. When there are more the connection is closed: a peer that reads
/// that slowly would hold up memory without bound.
const WRITES: usize = 1024;
const CONNECT: Duration = Duration::from_secs(5);
/// How long a message may take from its first octet to its last.
const ARRIVAL: Duration = Duration::from_secs(32);
/// Octets of unfinished messages that all connections of a profile hold together; one that would hold more is closed.
const UNFINISHED: usize = 64 << 20;
/// Octets read at a time.
const READ: usize = 16 * 1024;
/// How long one write may take.
const WRITE: Duration = Duration::from_secs(30);

/// Bounds on a profile's connections.
#[derive(Clone, Copy, Debug)]
pub struct TcpLimits {
    pub connections: usize,
    pub idle: Duration,
}

struct Connection {
    peer: SocketAddr,
    writes: mpsc::Sender<Bytes>,
    task: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Table {
    by_id: HashMap<u64, Connection>,
    by_addr: HashMap<SocketAddr, u64>,
    next: u64,
}

/// The connections of one profile.
pub struct Connections {
    table: Mutex<Table>,
    shards: Vec<Arc<Mailbox>>,
    limits: TcpLimits,
    unfinished: AtomicUsize,
    runtime: tokio::runtime::Handle,
}

impl Connections {
    pub fn new(shards: Vec<Arc<Mailbox>>, limits: TcpLimits, runtime: tokio::runtime::Handle) -> Arc<Self> {
        // The other half is for the rest of the server: the event socket, a reload's files.
        let most = descriptors() / 2;
        if most < limits.connections {
            tracing::warn!(
                "the limit of open files leaves room for {most} TCP connections, not {}",
                limits.connections
            );
        }
        let limits = TcpLimits { connections: limits.connections.min(most), ..limits };
        let unfinished = AtomicUsize::new(0);
        Arc::new(Self { table: Mutex::default(), shards, limits, unfinished, runtime })
    }

    /// Writes to the peer's connection; one is made when there is none. What fails later is told to the shards.
    /// `Err`: the connection is gone, or its peer reads too slowly.
    pub fn send(self: &Arc<Self>, peer: Peer, message: Bytes) -> Result<(), Unsent> {
        let mut table = self.table.lock();
        let known = peer.connection.map(|id| id.0).filter(|id| table.by_id.contains_key(id));
        let id = match known.or_else(|| table.by_addr.get(&peer.addr).copied()) {
            Some(id) => id,
            // RFC 3261 §18.2.2: when the connection is gone, one to the address is tried.
            None => self.connect(&mut table, peer.addr)?,
        };
        let connection = table.by_id.get(&id).ok_or(Unsent)?;
        if connection.writes.try_send(message).is_err() {
            table.remove(id);
            return Err(Unsent);
        }
        Ok(())
    }

    fn connect(self: &Arc<Self>, table: &mut Table, addr: SocketAddr) -> Result<u64, Unsent> {
        if table.by_id.len() >= self.limits.connections {
            return Err(Unsent);
        }
        let (id, writes) = table.add(addr);
        let connections = self.clone();
        let task = self.runtime.spawn(async move {
            match timeout(CONNECT, TcpStream::connect(addr)).await {
                Ok(Ok(stream)) => connections.run(id, addr, stream, writes).await,
                _ => connections.lost(id, addr),
            }
        });
        table.keep(id, task);
        Ok(id)
    }

    /// Takes connections until the profile stops.
    pub async fn accept(self: Arc<Self>, listener: Arc<TcpListener>) {
        loop {
            match listener.accept().await {
                Ok((stream, addr)) => self.adopt(stream, addr),
                Err(error) => {
                    // Out of descriptors, most likely: not at full speed into the same error.
                    tracing::error!(%error, "TCP connections can't be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn adopt(self: &Arc<Self>, stream: TcpStream, addr: SocketAddr) {
        let mut table = self.table.lock();
        if table.by_id.len() >= self.limits.connections {
            tracing::warn!(%addr, limit = self.limits.connections, "too many TCP connections, one is refused");
            return;
        }
        let (id, writes) = table.add(addr);
        let connections = self.clone();
        table.keep(id, self.runtime.spawn(async move { connections.run(id, addr, stream, writes).await }));
    }

    async fn run(&self, id: u64, addr: SocketAddr, stream: TcpStream, writes: mpsc::Receiver<Bytes>) {
        // A MESSAGE is one small write, nothing would follow it into the same segment.
        let _ = stream.set_nodelay(true);
        let (input, output) = stream.into_split();
        tokio::select! {
            _ = self.read(id, addr, input) => {}
            _ = write(output, writes) => {}
        }
        self.lost(id, addr);
    }

    async fn read(&self, id: u64, addr: SocketAddr, input: OwnedReadHalf) -> io::Result<()> {
        let peer = Peer { transport: Transport::Tcp, addr, connection: Some(ConnectionId(id)) };
        let mut framer = Framer::default();
        let mut held = Held { total: &self.unfinished, own: 0 };
        let mut begun = None;
        loop {
            let patience =
                begun.map_or(self.limits.idle, |begun: Instant| ARRIVAL.saturating_sub(begun.elapsed()));
            timeout(patience, input.readable()).await??;
            match take(&input, &mut framer) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            }
            let Some(frames) = self.deliver(id, peer, &mut framer) else {
                // Time for the shard's answer to leave.
                tokio::time::sleep(Duration::from_millis(500)).await;
                return Ok(());
            };
            let rest = framer.rest();
            let is_message = rest.iter().any(|octet| !matches!(octet, b'\r' | b'\n'));
            begun = is_message.then(|| begun.filter(|_| frames == 0).unwrap_or_else(Instant::now));
            if !held.set(rest.len()) {
                tracing::warn!(%addr, "too many unfinished messages on TCP connections, one is closed");
                return Ok(());
            }
        }
    }

    /// How many frames there were; `None`: nothing more can be read from this stream.
    fn deliver(&self, id: u64, peer: Peer, framer: &mut Framer) -> Option<usize> {
        let mut frames = 0;
        loop {
            match framer.next() {
                Ok(None) => return Some(frames),
                // RFC 5626 §3.5.1: a double CRLF is answered with a single one.
                Ok(Some(Frame::Ping)) => {
                    self.send_here(id, Bytes::from_static(b"\r\n")).ok()?;
                }
                Ok(Some(Frame::Message(bytes))) => {
                    self.post(id, Mail::Frame { peer, bytes: Bytes::copy_from_slice(bytes) });
                }
                Err(error) => {
                    tracing::debug!(addr = %peer.addr, %error, "TCP stream closed");
                    let bytes = Bytes::copy_from_slice(framer.rest());
                    self.post(id, Mail::Refused { peer, bytes, code: error.status() });
                    return None;
                }
            }
            frames += 1;
        }
    }

    fn send_here(&self, id: u64, bytes: Bytes) -> Result<(), Unsent> {
        let table = self.table.lock();
        table.by_id.get(&id).ok_or(Unsent)?.writes.try_send(bytes).map_err(|_| Unsent)
    }

    /// All frames of a connection go to the same shard, so that its transactions meet their retransmissions.
    fn post(&self, id: u64, mail: Mail) {
        let shard = usize::try_from(id).unwrap_or(0) % self.shards.len();
        if self.shards[shard].post(mail).is_err() {
            tracing::debug!("a shard's mailbox is full, what came from a TCP connection is dropped");
        }
    }

    fn lost(&self, id: u64, addr: SocketAddr) {
        self.table.lock().remove(id);
        let peer = Peer { transport: Transport::Tcp, addr, connection: Some(ConnectionId(id)) };
        self.post(id, Mail::Ended(peer));
    }

    /// Whether a message could be written to this connection, or, without one, to any to this address.
    pub fn is_open(&self, peer: &Peer) -> bool {
        let table = self.table.lock();
        match peer.connection {
            Some(id) => table.by_id.contains_key(&id.0),
            None => table.by_addr.contains_key(&peer.addr),
        }
    }

    /// Closes every connection.
    pub fn close(&self) {
        let table = std::mem::take(&mut *self.table.lock());
        for task in table.by_id.into_values().filter_map(|connection| connection.task) {
            task.abort();
        }
    }
}

impl Table {
    fn add(&mut self, peer: SocketAddr) -> (u64, mpsc::Receiver<Bytes>) {
        self.next += 1;
        let (writes, reads) = mpsc::channel(WRITES);
        self.by_id.insert(self.next, Connection { peer, writes, task: None });
        self.by_addr.insert(peer, self.next);
        (self.next, reads)
    }

    fn keep(&mut self, id: u64, task: JoinHandle<()>) {
        if let Some(connection) = self.by_id.get_mut(&id) {
            connection.task = Some(task);
        }
    }

    fn remove(&mut self, id: u64) {
        let Some(connection) = self.by_id.remove(&id) else { return };
        if self.by_addr.get(&connection.peer) == Some(&id) {
            self.by_addr.remove(&connection.peer);
        }
    }
}

/// What one connection holds of an unfinished message.
struct Held<'c> {
    total: &'c AtomicUsize,
    own: usize,
}

impl Held<'_> {
    /// `false`: all connections together hold too much.
    fn set(&mut self, octets: usize) -> bool {
        let before = std::mem::replace(&mut self.own, octets);
        let total = self.total.fetch_add(octets, Ordering::Relaxed) + octets;
        self.total.fetch_sub(before, Ordering::Relaxed);
        octets <= before || total - before <= UNFINISHED
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// Reads what is there. The buffer is the thread's and not the connection's: thousands of idle ones cost no memory.
fn take(input: &OwnedReadHalf, framer: &mut Framer) -> io::Result<usize> {
    let mut buffer = [0; READ];
    let length = input.try_read(&mut buffer)?;
    framer.push(&buffer[..length]);
    Ok(length)
}

/// What could not be given to a connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Unsent;

async fn write(mut output: OwnedWriteHalf, mut writes: mpsc::Receiver<Bytes>) -> io::Result<()> {
    while let Some(bytes) = writes.recv().await {
        timeout(WRITE, output.write_all(&bytes)).await??;
    }
    Ok(())
}
