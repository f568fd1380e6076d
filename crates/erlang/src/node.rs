//! The node: where it listens, who may connect, how many, and what becomes of them when the configuration changes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chappe_api::Registry;
use chappe_config::Bindings;
use chappe_event::{Bus, LogBus, LogSinkId, SubscriberId};
use erl_dist::DistributionFlags;
use erl_dist::node::{Creation, LocalNode, NodeName};
use parking_lot::Mutex;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::command::Erlang;
use crate::connection::Connection;
use crate::epmd::Registration;
use crate::fetch::Fetches;
use crate::hub::Hub;
use crate::{CookieError, ErlangConfig, MODULE, NameError, name};

/// How long the nodes have to take their last messages when this one ends.
const STOP_TIME: Duration = Duration::from_secs(2);

/// Whether a list of `acl.conf` lets an address in.
pub type Acl = Arc<dyn Fn(&str, IpAddr) -> bool + Send + Sync>;

/// What the node works with.
#[derive(Clone)]
pub struct ErlangDeps {
    pub bus: Arc<Bus>,
    pub registry: Arc<Registry>,
    pub log_bus: Arc<LogBus>,
    pub bindings: Arc<Bindings>,
    /// Where questions wait for their answers.
    pub runtime: Handle,
    pub acl: Acl,
    /// What the machine calls itself.
    pub hostname: String,
    /// Where the port mapper is: `ERL_EPMD_PORT` on this machine, 4369 by default.
    pub epmd: SocketAddr,
}

/// Why the node does not run.
#[derive(Debug, thiserror::Error)]
pub enum ErlangError {
    #[error("erlang node: listen on {address}: {source}")]
    Bind { address: SocketAddr, source: io::Error },
    #[error("erlang node: {0}")]
    Cookie(#[from] CookieError),
    #[error("erlang node: {0}")]
    Name(#[from] NameError),
}

/// This server as a node among Erlang nodes.
pub struct ErlangNode {
    deps: ErlangDeps,
    hub: Arc<Hub>,
    fetches: Arc<Fetches>,
    subscriptions: (SubscriberId, LogSinkId),
    running: Mutex<Option<Running>>,
}

struct Running {
    config: Arc<ErlangConfig>,
    address: SocketAddr,
    name: NodeName,
    creation: Arc<AtomicU32>,
    doors: Arc<Mutex<Door>>,
    listener: Arc<TcpListener>,
    accepting: JoinHandle<()>,
    registered: JoinHandle<()>,
}

impl Running {
    fn close(self) {
        self.registered.abort();
        self.accepting.abort();
        // The task holds the listener until the runtime gets round to ending it; the address is to be free before.
        let _ = SockRef::from(&*self.listener).shutdown(Shutdown::Both);
    }
}

/// What is asked of a new connection; exchanged as a whole when the configuration changes.
#[derive(Clone)]
struct Door {
    config: Arc<ErlangConfig>,
    cookie: Arc<str>,
    name: NodeName,
    creation: Arc<AtomicU32>,
    connections: Arc<Semaphore>,
    unauthenticated: Arc<Semaphore>,
}

impl Door {
    fn new(config: Arc<ErlangConfig>, cookie: Arc<str>, name: NodeName, creation: Arc<AtomicU32>) -> Self {
        let connections = Arc::new(Semaphore::new(config.max_connections));
        let unauthenticated = Arc::new(Semaphore::new(config.max_unauthenticated));
        Self { config, cookie, name, creation, connections, unauthenticated }
    }

    /// What this node can do: what every node has to, monitors, and to say who sent a message.
    fn local(&self) -> LocalNode {
        let creation = Creation::new(self.creation.load(Ordering::Relaxed));
        let mut local = LocalNode::new(self.name.clone(), creation);
        local.flags |= DistributionFlags::DIST_MONITOR
            | DistributionFlags::DIST_MONITOR_NAME
            | DistributionFlags::SEND_SENDER;
        local
    }
}

impl ErlangNode {
    /// A node that does not listen yet.
    pub fn new(deps: ErlangDeps) -> Self {
        let hub = Arc::new(Hub::default());
        let fetches = Fetches::new(deps.bindings.clone(), deps.runtime.clone());
        let subscriptions = (deps.bus.subscribe(hub.clone()), deps.log_bus.add(hub.clone()));
        Self { deps, hub, fetches, subscriptions, running: Mutex::new(None) }
    }

    /// Listens and registers as `config` says. When that can't be had, everything stays as it is. Blocks, since the
    /// cookie may be in a file. Has to be called on a tokio runtime, which then runs the connections; those that are open
    /// stay as they are.
    pub fn apply(&self, config: ErlangConfig) -> Result<(), ErlangError> {
        let cookie = config.cookie.read()?;
        let name = name::whole(&config.nodename, config.shortname, &self.deps.hostname)?;
        let config = Arc::new(config);
        let mut running = self.running.lock();
        match running.as_mut().filter(|running| running.config.listen == config.listen) {
            Some(running) => self.change(running, config.clone(), cookie, name),
            None => {
                let started = self.start(config.clone(), cookie, name)?;
                match running.replace(started) {
                    Some(before) => before.close(),
                    None => self
                        .deps
                        .registry
                        .add(Arc::new(Erlang { hub: self.hub.clone(), fetches: self.fetches.clone() })),
                }
            }
        }
        self.fetches.set_patience(config.fetch_timeout);
        Ok(())
    }

    /// Where it listens, with the port that was taken when 0 was asked for.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.running.lock().as_ref().map(|running| running.address)
    }

    /// The node's name.
    pub fn name(&self) -> Option<String> {
        self.running.lock().as_ref().map(|running| running.name.to_string())
    }

    /// The names of the nodes that are connected.
    pub fn nodes(&self) -> Vec<String> {
        self.hub.members().iter().map(|member| member.node.clone()).collect()
    }

    /// Stops listening. When this returns, the address is free; connections that are open stay.
    pub fn close(&self) {
        if let Some(running) = self.running.lock().take() {
            self.deps.registry.remove_module(MODULE);
            running.close();
        }
    }

    /// Stops listening and disconnects every node; returns when that is done.
    pub async fn stop(&self) {
        self.close();
        for member in self.hub.members().iter() {
            member.dismissed.notify_one();
        }
        let _ = tokio::time::timeout(STOP_TIME, self.hub.emptied()).await;
    }

    fn start(
        &self,
        config: Arc<ErlangConfig>,
        cookie: Arc<str>,
        name: NodeName,
    ) -> Result<Running, ErlangError> {
        let failed = |source| ErlangError::Bind { address: config.listen, source };
        let listener = Arc::new(bind(config.listen).map_err(failed)?);
        let address = listener.local_addr().map_err(failed)?;
        // Until the port mapper says otherwise.
        let creation = Arc::new(AtomicU32::new(Creation::random().get()));
        let door = Door::new(config.clone(), cookie, name.clone(), creation.clone());
        let doors = Arc::new(Mutex::new(door));
        let entrance = Entrance {
            deps: self.deps.clone(),
            hub: self.hub.clone(),
            fetches: self.fetches.clone(),
            doors: doors.clone(),
            number: 0,
        };
        let accepting = tokio::spawn(entrance.accept(listener.clone()));
        let registered = self.register(&name, address.port(), &creation);
        tracing::info!(%address, %name, "erlang node listens");
        Ok(Running { config, address, name, creation, doors, listener, accepting, registered })
    }

    fn change(&self, running: &mut Running, config: Arc<ErlangConfig>, cookie: Arc<str>, name: NodeName) {
        // The cookie's file may have another one, though the configuration says the same.
        let mut doors = running.doors.lock();
        if running.config == config && doors.cookie == cookie && running.name == name {
            return;
        }
        *doors = Door::new(config.clone(), cookie, name.clone(), running.creation.clone());
        drop(doors);
        running.config = config;
        if running.name != name {
            running.registered.abort();
            running.registered = self.register(&name, running.address.port(), &running.creation);
            running.name = name;
        }
    }

    fn register(&self, name: &NodeName, port: u16, creation: &Arc<AtomicU32>) -> JoinHandle<()> {
        let registration = Registration {
            epmd: self.deps.epmd,
            name: name.name().to_owned(),
            port,
            creation: creation.clone(),
        };
        tokio::spawn(registration.keep())
    }
}

impl Drop for ErlangNode {
    fn drop(&mut self) {
        let (subscriber, sink) = self.subscriptions;
        self.deps.bus.unsubscribe(subscriber);
        self.deps.log_bus.remove(sink);
        self.close();
    }
}

/// Listens on `address`; on a machine without IPv6 `::` is every IPv4 address.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    match bind_exactly(address) {
        Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && error.kind() != io::ErrorKind::AddrInUse => {
            bind_exactly(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port()))
        }
        bound => bound,
    }
}

fn bind_exactly(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(128)?;
    TcpListener::from_std(socket.into())
}

/// Where connections come in.
struct Entrance {
    deps: ErlangDeps,
    hub: Arc<Hub>,
    fetches: Arc<Fetches>,
    doors: Arc<Mutex<Door>>,
    number: u32,
}

impl Entrance {
    async fn accept(mut self, listener: Arc<TcpListener>) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.enter(stream, peer.ip().to_canonical()),
                Err(error) => {
                    tracing::error!(%error, "erlang node can't accept a connection");
                    // Out of file handles, mostly: the next attempt would fail at once.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Lets a connection shake hands, or closes it: before that there are no words for a refusal.
    fn enter(&mut self, stream: TcpStream, peer: IpAddr) {
        let door = self.doors.lock().clone();
        if let Some(list) = door.config.acl.iter().find(|list| !(self.deps.acl)(list, peer)) {
            return tracing::warn!(%peer, %list, "erlang node rejected by acl");
        }
        let local = door.local();
        let Door { config, cookie, connections, unauthenticated, .. } = door;
        let permits = (connections.try_acquire_owned(), unauthenticated.try_acquire_owned());
        let (Ok(connected), Ok(unauthenticated)) = permits else {
            return tracing::warn!(%peer, "too many erlang nodes");
        };
        prepare(&stream);
        self.number = self.number.wrapping_add(1);
        let connection = Connection {
            deps: self.deps.clone(),
            config,
            cookie,
            local,
            number: self.number,
            peer,
            hub: self.hub.clone(),
            fetches: self.fetches.clone(),
            unauthenticated,
        };
        tokio::spawn(async move {
            connection.run(stream).await;
            drop(connected);
        });
    }
}

/// Small messages go out at once, and a node that is gone is noticed.
fn prepare(stream: &TcpStream) {
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(30));
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}
