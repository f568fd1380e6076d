//! The connections of one profile: each a task that reads frames into a shard's mailbox and writes what the shards send.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

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

/// Who has room for so many connections need not be told that there could be more.
const MANY: usize = 10_000;
/// How long a connection waits before it tries again to hand its message over.
const FULL: Duration = Duration::from_millis(2);

/// Whether somebody at an address may connect.
pub type Doorkeeper = Box<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// The connections of one profile.
pub struct Connections {
    table: Mutex<Table>,
    shards: Vec<Arc<Mailbox>>,
    limits: ConnectionLimits,
    doorkeeper: Doorkeeper,
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
        doorkeeper: Doorkeeper,
        tls: TlsClient,
        runtime: tokio::runtime::Handle,
    ) -> Arc<Self> {
        // The other half is for the rest of the server: the event socket, a reload's files.
        let most = descriptors() / 2;
        if most < limits.all && most < MANY {
            tracing::warn!("the limit of open files leaves room for {most} connections, not {}", limits.all);
        }
        let limits = ConnectionLimits { all: limits.all.min(most), ..limits };
        Arc::new(Self {
            table: Mutex::default(),
            shards,
            limits,
            doorkeeper,
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
        if !(self.doorkeeper)(addr.ip()) {
            return;
        }
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
    fn shard(&self, peer: &Peer) -> &Mailbox {
        let id = peer.connection.map_or(0, |id| id.0);
        &self.shards[usize::try_from(id).unwrap_or(0) % self.shards.len()]
    }

    pub(super) fn post(&self, peer: &Peer, mail: Mail) {
        if self.shard(peer).post(mail).is_err() {
            tracing::debug!("a shard's mailbox is full, the end of a connection is not told");
        }
    }

    /// Once there is room.
    pub(super) async fn post_in_time(&self, peer: &Peer, mail: Mail) {
        let mut mail = mail;
        while let Err(back) = self.shard(peer).post(mail) {
            mail = back;
            tokio::time::sleep(FULL).await;
        }
    }

    /// The connection is over.
    pub(super) fn lost(&self, peer: &Peer) {
        let removed = self.table.lock().remove(peer);
        if removed.is_some() {
            self.post(peer, Mail::Ended(*peer));
        }
    }

    /// A device was told to keep this connection alive: once it does not, the connection is dead.
    pub fn make_flow(&self, peer: &Peer) {
        self.table.lock().make_flow(peer);
    }

    /// Whether that device was told so.
    pub(super) fn is_flow(&self, peer: &Peer) -> bool {
        self.table.lock().get(peer).is_some_and(|connection| connection.is_flow)
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

    /// Ends those connections at once; the shards are told.
    pub fn end(&self, is_meant: impl Fn(&Peer) -> bool) {
        let mut table = self.table.lock();
        let meant: Vec<_> = table.peers().filter(|peer| is_meant(peer)).collect();
        let ended: Vec<_> = meant.iter().filter_map(|peer| table.remove(peer)).collect();
        drop(table);
        for connection in ended {
            let peer = connection.peer;
            connection.abort();
            self.post(&peer, Mail::Ended(peer));
        }
    }

    /// Closes every connection.
    pub fn close(&self) {
        std::mem::take(&mut *self.table.lock()).into_connections().for_each(|connection| connection.abort());
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use chappe_config::{Diagnostics, Params};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::super::cut::Cutter;
    use super::super::limits::{ARRIVAL, STRANGER, WRITE};
    use super::super::ws::{Frames, Origins};
    use super::*;
    use crate::config::TlsConfig;
    use crate::transport::mmsg::EventFd;

    const IDLE: Duration = Duration::from_secs(3600);
    const FLOW: Duration = Duration::from_secs(150);
    const OPTIONS: &[u8] =
        b"OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
        To: <sip:h>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

    fn connections() -> (Arc<Connections>, Arc<Mailbox>) {
        let mailbox = Arc::new(Mailbox::new(Arc::new(EventFd::new().unwrap())));
        let tls = TlsConfig::read(&Params::default(), &mut Diagnostics::new()).unwrap();
        let limits = ConnectionLimits { all: 10, per_source: 5, idle: IDLE, flow: Some(FLOW) };
        let client = TlsClient::new(&tls, Path::new(""));
        let runtime = tokio::runtime::Handle::current();
        (Connections::new(vec![mailbox.clone()], limits, Box::new(|_| true), client, runtime), mailbox)
    }

    fn take(mailbox: &Mailbox) -> Option<Mail> {
        mailbox.take().map(|(_, mail)| mail)
    }

    /// Another end of a connection that is open.
    fn open(connections: &Arc<Connections>, transport: Transport, room: usize) -> (DuplexStream, Peer) {
        let (here, there) = duplex(room);
        let cutter: Box<dyn Cutter> = match transport {
            Transport::Ws => Box::new(Frames::default()),
            _ => Box::new(Stream::default()),
        };
        let mut table = connections.table.lock();
        let (peer, waiting) = table.accept(transport, "192.0.2.1:1024".parse().unwrap());
        let (connections, open) = (connections.clone(), Open { octets: Box::new(here), cutter });
        let task = tokio::spawn(async move { connection::run(&connections, peer, open, waiting).await });
        table.keep(peer, task);
        (there, peer)
    }

    /// How long the other end stays open, of which these octets are sent, one a `pause`.
    async fn lasts(transport: Transport, octets: &[u8], pause: Duration) -> Duration {
        let (connections, mailbox) = connections();
        let (stream, _) = open(&connections, transport, 64);
        let (mut input, mut output) = tokio::io::split(stream);
        let start = Instant::now();
        let sending = async {
            for octet in octets {
                if output.write_all(&[*octet]).await.is_err() {
                    break;
                }
                tokio::time::sleep(pause).await;
            }
            std::future::pending::<()>().await;
        };
        let mut rest = Vec::new();
        tokio::select! {
            () = sending => {}
            read = input.read_to_end(&mut rest) => drop(read),
        }
        assert_eq!(connections.len(), 0);
        let mut mail = std::iter::from_fn(|| take(&mailbox));
        assert!(mail.any(|mail| matches!(mail, Mail::Ended(_))), "the shard is not told");
        start.elapsed()
    }

    fn is_about(found: Duration, expected: Duration) -> bool {
        (expected..expected + Duration::from_secs(2)).contains(&found)
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_does_not_stay() {
        let found = lasts(Transport::Tcp, b"", IDLE).await;
        assert!(is_about(found, STRANGER), "{found:?}");
        let found = lasts(Transport::Ws, b"", IDLE).await;
        assert!(is_about(found, STRANGER), "{found:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_sent_a_message_may_be_silent_for_longer() {
        let found = lasts(Transport::Tcp, OPTIONS, Duration::ZERO).await;
        assert!(is_about(found, IDLE), "{found:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_whole_in_time_or_never() {
        for pause in [1, 31, 60] {
            let found = lasts(Transport::Tcp, OPTIONS, Duration::from_secs(pause)).await;
            assert!(is_about(found, ARRIVAL), "{pause}: {found:?}");
            let frame = [
                0x81, 0xfe, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
            ];
            let found = lasts(Transport::Ws, &frame, Duration::from_secs(pause)).await;
            assert!(is_about(found, ARRIVAL), "{pause}: {found:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn keep_alives_keep_a_connection() {
        let (connections, _) = connections();
        let (mut stream, peer) = open(&connections, Transport::Tcp, 64);
        for _ in 0..50 {
            stream.write_all(b"\r\n\r\n").await.unwrap();
            let mut answer = [0; 2];
            stream.read_exact(&mut answer).await.unwrap();
            tokio::time::sleep(STRANGER - Duration::from_secs(5)).await;
        }
        assert!(connections.is_open(&peer));
    }

    /// How long a connection lasts by which a device registered a flow, or did not, and from which so many keep-alives come.
    async fn flow_lasts(is_flow: bool, keep_alives: u32) -> Duration {
        let (connections, mailbox) = connections();
        let (mut stream, peer) = open(&connections, Transport::Tcp, 1024);
        let start = Instant::now();
        stream.write_all(OPTIONS).await.unwrap();
        while take(&mailbox).is_none() {
            tokio::task::yield_now().await;
        }
        if is_flow {
            connections.make_flow(&peer);
        }
        for _ in 0..keep_alives {
            tokio::time::sleep(FLOW - Duration::from_secs(5)).await;
            stream.write_all(b"\r\n\r\n").await.unwrap();
        }
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_flow_that_is_not_kept_alive_is_dead() {
        for (is_flow, keep_alives, expected) in [
            (true, 0, FLOW),
            (true, 3, FLOW * 4 - Duration::from_secs(15)),
            (false, 0, IDLE),
            (false, 1, FLOW - Duration::from_secs(5) + IDLE),
        ] {
            let found = flow_lasts(is_flow, keep_alives).await;
            assert!(is_about(found, expected), "{is_flow} {keep_alives}: {found:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_too_slowly_is_cut_off() {
        let (connections, mailbox) = connections();
        let (_stream, peer) = open(&connections, Transport::Tcp, 64);
        let message = Bytes::from(vec![b'x'; 100_000]);
        let sent = (0..100).take_while(|_| connections.send(peer, message.clone()).is_ok()).count();
        assert!((9..=11).contains(&sent), "{sent} messages wait");
        assert!(!connections.is_open(&peer));
        assert!(matches!(take(&mailbox), Some(Mail::Ended(ended)) if ended == peer));
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_takes_too_long_ends_the_connection() {
        let (connections, _) = connections();
        let (stream, peer) = open(&connections, Transport::Tcp, 64);
        connections.send(peer, Bytes::from(vec![b'x'; 1000])).unwrap();
        let start = Instant::now();
        while connections.is_open(&peer) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert!(is_about(start.elapsed(), WRITE), "{:?}", start.elapsed());
        drop(stream);
    }

    #[tokio::test(start_paused = true)]
    async fn a_ping_flood_that_nobody_reads_the_answers_of_ends() {
        let (connections, _) = connections();
        let (mut stream, peer) = open(&connections, Transport::Tcp, 64);
        let flood = b"\r\n\r\n".repeat(10_000);
        assert!(stream.write_all(&flood).await.is_err());
        assert!(!connections.is_open(&peer));
    }

    #[tokio::test(start_paused = true)]
    async fn handshakes_end_in_time() {
        let (connections, mailbox) = connections();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for begun in [&b""[..], b"G", b"GET / HTTP/1.1\r\nHost: h\r\n"] {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (stream, addr) = listener.accept().await.unwrap();
            let entrance = Entrance { transport: Transport::Ws, tls: None, origins: Some(Origins(vec![])) };
            client.write_all(begun).await.unwrap();
            let start = Instant::now();
            connections.adopt(stream, addr, Arc::new(entrance));
            assert_eq!(connections.len(), 1);
            let mut answer = Vec::new();
            let _ = client.read_to_end(&mut answer).await;
            assert!(is_about(start.elapsed(), HANDSHAKE), "{:?}", start.elapsed());
            assert_eq!((answer.len(), connections.len()), (0, 0));
        }
        assert!(take(&mailbox).is_none(), "no shard has to hear of it");
    }
}
