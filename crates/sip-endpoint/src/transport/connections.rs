//! The connections of one profile: each a task that reads frames into a shard's mailbox and writes what the shards send.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use chappe_sip_proto::{Peer, Transport};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::complaints::Complaints;
use super::connection::{self, Open};
use super::cut::Stream;
use super::entrance::Entrance;
use super::limits::{CONNECT, ConnectionLimits, HANDSHAKE};
use super::mmsg::descriptors;
use super::outbox::{Out, Unsent, Waiting};
use super::table::Table;
use super::target;
use super::tls::TlsClient;
use crate::shard::{Mail, Mailbox};

/// The connections of one profile.
pub struct Connections {
    table: Mutex<Table>,
    shards: Vec<Arc<Mailbox>>,
    limits: ConnectionLimits,
    unfinished: AtomicUsize,
    tls: TlsClient,
    runtime: tokio::runtime::Handle,
    full: Complaints,
    failed: Complaints,
    cut_off: Complaints,
}

impl Connections {
    pub fn new(
        shards: Vec<Arc<Mailbox>>,
        limits: ConnectionLimits,
        tls: TlsClient,
        runtime: tokio::runtime::Handle,
    ) -> Arc<Self> {
        // The other half is for the rest of the server: the event socket, a reload's files.
        let most = descriptors() / 2;
        if most < limits.all {
            tracing::warn!("the limit of open files leaves room for {most} connections, not {}", limits.all);
        }
        let limits = ConnectionLimits { all: limits.all.min(most), ..limits };
        Arc::new(Self {
            table: Mutex::default(),
            shards,
            limits,
            unfinished: AtomicUsize::new(0),
            tls,
            runtime,
            full: Complaints::new(),
            failed: Complaints::new(),
            cut_off: Complaints::new(),
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.table.lock().len()
    }

    /// Writes to the peer's connection; one is made when there is none. What fails later is told to the shards.
    /// `Err`: the connection is gone, or its peer reads too slowly.
    pub fn send(self: &Arc<Self>, peer: Peer, message: Bytes) -> Result<(), Unsent> {
        let mut table = self.table.lock();
        let mut found = table.get(&peer);
        let host = match found {
            None if peer.transport == Transport::Tls => target::host(&message),
            _ => None,
        };
        let host = host.as_deref();
        found = found.or_else(|| table.find(peer.transport, peer.addr, host));
        let to = match found {
            Some(connection) => connection.peer,
            // RFC 3261 §18.2.2: when the connection is gone, one to the address is tried.
            None => self.connect(&mut table, peer, host)?,
        };
        let sent = table.get(&to).ok_or(Unsent)?.outbox.put(Out::Message(message));
        if sent.is_err() {
            self.cut_off
                .say(|others| tracing::warn!(%peer, others, "a peer reads too slowly, it is cut off"));
            if let Some(connection) = table.remove(&to) {
                connection.abort();
            }
            self.post(&to, Mail::Ended(to));
        }
        sent
    }

    /// RFC 7118 §5: nobody can connect to a web page.
    fn connect(self: &Arc<Self>, table: &mut Table, peer: Peer, host: Option<&str>) -> Result<Peer, Unsent> {
        if !matches!(peer.transport, Transport::Tcp | Transport::Tls) || table.is_full(&self.limits) {
            return Err(Unsent);
        }
        let (peer, waiting) = table.connect(peer.transport, peer.addr, host);
        let (connections, host) = (self.clone(), host.map(str::to_owned));
        let task = self.runtime.spawn(async move {
            let opened = timeout(CONNECT, Box::pin(connections.open(&peer, host))).await;
            match opened.unwrap_or_else(|late| Err(late.into())) {
                Ok(open) => connection::run(&connections, peer, open, waiting).await,
                Err(error) => {
                    connections.failed.say(|others| {
                        tracing::warn!(%peer, %error, others, "a connection can't be made");
                    });
                    connections.lost(&peer);
                }
            }
        });
        table.keep(peer, task);
        Ok(peer)
    }

    async fn open(&self, peer: &Peer, host: Option<String>) -> io::Result<Open> {
        let stream = TcpStream::connect(peer.addr).await?;
        // A MESSAGE is one small write, nothing would follow it into the same segment.
        let _ = stream.set_nodelay(true);
        let cutter = Box::new(Stream::default());
        if peer.transport == Transport::Tls {
            let octets = Box::new(self.tls.connect(stream, host.as_deref(), peer.addr.ip()).await?);
            return Ok(Open { octets, cutter });
        }
        Ok(Open { octets: Box::new(stream), cutter })
    }

    /// Takes a connection that was opened to `entrance`.
    pub fn adopt(self: &Arc<Self>, stream: TcpStream, addr: SocketAddr, entrance: Arc<Entrance>) {
        let mut table = self.table.lock();
        if let Err(why) = table.room_for(addr.ip(), &self.limits) {
            self.full.say(|others| tracing::warn!(%addr, others, "a connection is refused: {why}"));
            return;
        }
        let (peer, waiting) = table.accept(entrance.transport, addr);
        let connections = self.clone();
        let task = self.runtime.spawn(connections.admit(stream, peer, entrance, waiting));
        table.keep(peer, task);
    }

    async fn admit(
        self: Arc<Self>,
        stream: TcpStream,
        peer: Peer,
        entrance: Arc<Entrance>,
        waiting: Waiting,
    ) {
        let _ = stream.set_nodelay(true);
        let admitted = timeout(HANDSHAKE, Box::pin(entrance.admit(stream))).await;
        match admitted.unwrap_or_else(|late| Err(late.into())) {
            Ok(open) => connection::run(&self, peer, open, waiting).await,
            Err(error) => self.turned_away(&peer, &error),
        }
    }

    /// No shard has heard of it.
    fn turned_away(&self, peer: &Peer, error: &io::Error) {
        self.table.lock().remove(peer);
        self.failed.say(|others| tracing::info!(%peer, %error, others, "a handshake failed"));
    }

    pub(super) fn put(&self, peer: &Peer, out: Out) -> Result<(), Unsent> {
        self.table.lock().get(peer).ok_or(Unsent)?.outbox.put(out)
    }

    /// All frames of a connection go to the same shard, so that its transactions meet their retransmissions.
    pub(super) fn post(&self, peer: &Peer, mail: Mail) {
        let id = peer.connection.map_or(0, |id| id.0);
        let shard = usize::try_from(id).unwrap_or(0) % self.shards.len();
        if self.shards[shard].post(mail).is_err() {
            tracing::debug!("a shard's mailbox is full, what came from a connection is dropped");
        }
    }

    /// The connection is over.
    pub(super) fn lost(&self, peer: &Peer) {
        let removed = self.table.lock().remove(peer);
        if removed.is_some() {
            self.post(peer, Mail::Ended(*peer));
        }
    }

    pub(super) fn limits(&self) -> &ConnectionLimits {
        &self.limits
    }

    pub(super) fn unfinished(&self) -> &AtomicUsize {
        &self.unfinished
    }

    pub(super) fn complain_of_unfinished(&self, peer: &Peer) {
        self.cut_off.say(|others| {
            tracing::warn!(%peer, others, "too many unfinished messages on connections, one is closed");
        });
    }

    /// Whether a message could be written to this connection, or, without one, to any to this address.
    pub fn is_open(&self, peer: &Peer) -> bool {
        let table = self.table.lock();
        match peer.connection {
            Some(_) => table.get(peer).is_some(),
            None => table.find(peer.transport, peer.addr, None).is_some(),
        }
    }

    /// Closes every connection.
    pub fn close(&self) {
        std::mem::take(&mut *self.table.lock()).into_connections().for_each(|connection| connection.abort());
    }
}
