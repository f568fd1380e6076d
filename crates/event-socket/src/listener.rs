//! The listening socket: who may connect, how many, and what becomes of them when the configuration changes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chappe_api::{Registry, Row};
use chappe_event::{Bus, Calling, Clock, EventName, EventRow, LogBus, LogSinkId, SubscriberId};
use parking_lot::Mutex;
use socket2::{SockRef, TcpKeepalive};
use thiserror::Error;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::connection::Connection;
pub use self::hub::{Hub, Member};
use self::job::Bgapi;
pub use self::outbox::Outbox;
pub use self::writer::write as write_frames;
use crate::{Accounts, EventSocketConfig, frame};

mod connection;
mod hub;
mod job;
mod outbox;
mod shared;
mod strikes;
mod writer;

/// How long the clients have to take their last frame when the server ends.
const STOP_TIME: Duration = Duration::from_secs(1);

/// Background jobs that one client may have at the same time.
const MAX_JOBS: usize = 1_000;

/// Whether a list of `acl.conf` lets an address in.
pub type Acl = Arc<dyn Fn(&str, IpAddr) -> bool + Send + Sync>;

/// The API commands that [`EventSocket::new`] adds to the registry.
pub fn command_rows() -> impl Iterator<Item = Row> {
    std::iter::once(job::ROW)
}

/// The events that come from here.
pub const EVENTS: &[EventRow] = &[
    EventRow::fired(
        EventName::BackgroundJob,
        "A command that `bgapi` started has ended; its answer is the body.",
        &["Job-UUID", "Job-Command"],
    ),
    EventRow::custom(
        "event_socket::missed",
        "A client of the event socket took its events too slowly, so that some were left out; it alone is told.",
        &["Missed-Events"],
    ),
];

/// What the event socket works with.
#[derive(Clone)]
pub struct EventSocketDeps {
    pub bus: Arc<Bus>,
    pub registry: Arc<Registry>,
    pub log_bus: Arc<LogBus>,
    pub clock: Arc<dyn Clock>,
    pub acl: Acl,
    pub accounts: Accounts,
}

/// The operator's address can't be listened on.
#[derive(Debug, Error)]
#[error("listen on {address}: {source}")]
pub struct BindError {
    pub address: SocketAddr,
    pub source: io::Error,
}

/// What [`EventSocket::apply`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    /// It listens for the first time.
    Started,
    /// The configuration is the one it had.
    Unchanged,
    /// New connections find the new configuration.
    Changed,
    /// It listens on another address; connections that were open stay.
    Moved,
}

/// The event socket of a server.
pub struct EventSocket {
    deps: EventSocketDeps,
    hub: Arc<Hub>,
    subscriptions: (SubscriberId, LogSinkId),
    running: Mutex<Option<Running>>,
}

struct Running {
    config: Arc<EventSocketConfig>,
    address: SocketAddr,
    doors: Arc<Doors>,
    listener: Arc<TcpListener>,
    accepting: JoinHandle<()>,
}

impl Running {
    fn close(self) {
        self.accepting.abort();
        // The task holds the listener until the runtime gets round to ending it; the address is to be free before.
        let _ = SockRef::from(&*self.listener).shutdown(Shutdown::Both);
    }
}

/// What is asked of a new connection; exchanged as a whole when the configuration changes.
struct Doors {
    config: Mutex<Limits>,
}

#[derive(Clone)]
struct Limits {
    config: Arc<EventSocketConfig>,
    connections: Arc<Semaphore>,
    unauthenticated: Arc<Semaphore>,
}

impl Limits {
    fn new(config: Arc<EventSocketConfig>) -> Self {
        let connections = Arc::new(Semaphore::new(config.max_connections));
        let unauthenticated = Arc::new(Semaphore::new(config.max_unauthenticated));
        Self { config, connections, unauthenticated }
    }
}

impl EventSocket {
    /// An event socket that does not listen yet.
    pub fn new(deps: EventSocketDeps) -> Self {
        let hub = Arc::new(Hub::default());
        deps.registry.add(Arc::new(Bgapi(deps.bus.clone())));
        let subscriptions = (deps.bus.subscribe(hub.clone()), deps.log_bus.add(hub.clone()));
        Self { deps, hub, subscriptions, running: Mutex::new(None) }
    }

    /// Listens as `config` says. When its address can't be had, everything stays as it is. Has to be called on a tokio
    /// runtime, which then runs the connections.
    pub fn apply(&self, config: EventSocketConfig) -> Result<Applied, BindError> {
        let config = Arc::new(config);
        let mut running = self.running.lock();
        if let Some(running) = running.as_mut().filter(|running| running.config.listen == config.listen) {
            if running.config == config {
                return Ok(Applied::Unchanged);
            }
            *running.doors.config.lock() = Limits::new(config.clone());
            running.config = config;
            return Ok(Applied::Changed);
        }
        let started = self.start(config)?;
        tracing::info!(address = %started.address, "event socket listens");
        match running.replace(started) {
            Some(before) => {
                before.close();
                Ok(Applied::Moved)
            }
            None => Ok(Applied::Started),
        }
    }

    /// Where it listens, with the port that was taken when 0 was asked for.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.running.lock().as_ref().map(|running| running.address)
    }

    /// How many clients are connected.
    pub fn connections(&self) -> usize {
        self.hub.members().len()
    }

    /// Stops listening. When this returns, the address is free; connections that are open stay.
    pub fn close(&self) {
        if let Some(running) = self.running.lock().take() {
            running.close();
        }
    }

    /// Stops listening and tells every client that the server ends; returns when they heard it, after a second at most.
    pub async fn stop(&self) {
        self.close();
        for member in self.hub.members().iter() {
            member.outbox.close(Some(frame::disconnect_notice(frame::SHUTDOWN)));
        }
        // Those who take nothing are not waited for.
        let _ = tokio::time::timeout(STOP_TIME, self.hub.emptied()).await;
    }

    fn start(&self, config: Arc<EventSocketConfig>) -> Result<Running, BindError> {
        let failed = |source| BindError { address: config.listen, source };
        let listener = bind(config.listen).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let doors = Arc::new(Doors { config: Mutex::new(Limits::new(config.clone())) });
        let listener = Arc::new(listener);
        let accepting =
            tokio::spawn(accept(listener.clone(), self.deps.clone(), self.hub.clone(), doors.clone()));
        Ok(Running { config, address, doors, listener, accepting })
    }
}

impl Drop for EventSocket {
    fn drop(&mut self) {
        let (subscriber, sink) = self.subscriptions;
        self.deps.bus.unsubscribe(subscriber);
        self.deps.log_bus.remove(sink);
        self.close();
    }
}

/// Listens on `address`; on a machine without IPv6 `::` is every IPv4 address.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let every_ipv4 = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port());
    match bind_exactly(address) {
        Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && error.kind() != io::ErrorKind::AddrInUse => {
            bind_exactly(every_ipv4)
        }
        bound => bound,
    }
}

fn bind_exactly(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::STREAM,
        Some(socket2::Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(128)?;
    TcpListener::from_std(socket.into())
}

async fn accept(listener: Arc<TcpListener>, deps: EventSocketDeps, hub: Arc<Hub>, doors: Arc<Doors>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let limits = doors.config.lock().clone();
                enter(stream, peer.ip().to_canonical(), &deps, &hub, limits).await;
            }
            Err(error) => {
                tracing::error!(%error, "event socket can't accept a connection");
                // Out of file handles, mostly: the next attempt would fail at once.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Lets a client in, or tells it why not.
async fn enter(mut stream: TcpStream, peer: IpAddr, deps: &EventSocketDeps, hub: &Arc<Hub>, limits: Limits) {
    if let Some(list) = limits.config.acl.iter().find(|list| !(deps.acl)(list, peer)) {
        // FreeSWITCH mod_event_socket.c listener_run.
        tracing::warn!(file = "mod_event_socket.c", "IP {peer} Rejected by acl \"{list}\"");
        // A fresh socket's buffer takes these few octets at once.
        let _ = stream.try_write(&frame::rude_rejection());
        return;
    }
    if hub.strikes.is_out(peer, Instant::now()) {
        tracing::debug!(%peer, "event socket client is kept out for its wrong passwords");
        let _ = stream.try_write(&frame::rude_rejection());
        return;
    }
    let Limits { config, connections, unauthenticated } = limits;
    let permits = (connections.try_acquire_owned(), unauthenticated.try_acquire_owned());
    let (Ok(connected), Ok(unauthenticated)) = permits else {
        tracing::warn!(%peer, "event socket has too many clients");
        let _ = stream.try_write(&frame::disconnect_notice("Too many connections.\n"));
        let _ = stream.shutdown().await;
        return;
    };
    prepare(&stream);
    tracing::debug!(%peer, "event socket connection opened");
    let member = Arc::new(Member::new(peer, config.max_queue_len));
    hub.add(member.clone());
    let connection = Connection {
        deps: deps.clone(),
        config,
        hub: hub.clone(),
        unauthenticated: Some(unauthenticated),
        jobs: Arc::new(Semaphore::new(MAX_JOBS)),
    };
    tokio::spawn(async move {
        connection.run(stream, member).await;
        drop(connected);
    });
}

/// Small frames go out at once, and a client that is gone is noticed.
fn prepare(stream: &TcpStream) {
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(30));
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}

/// Events that FreeSWITCH has, too, say they come from where it makes them.
fn calling(function: &'static str, line: u32) -> Calling {
    Calling { file: "mod_event_socket.c", function, line }
}
