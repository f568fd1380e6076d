//! Which connections there are.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};

use chappe_sip_proto::{ConnectionId, Peer, Transport};
use hashbrown::HashMap;
use tokio::task::JoinHandle;

use super::limits::{ConnectionLimits, Sources};
use super::outbox::{self, Outbox, Waiting};

/// One connection.
pub struct Connection {
    /// With its own number.
    pub peer: Peer,
    pub outbox: Outbox,
    /// The host that was connected to, where its certificate says that it is that host.
    host: Option<Box<str>>,
    accepted: bool,
    /// Its device was told a Flow-Timer.
    pub is_flow: bool,
    task: Option<JoinHandle<()>>,
}

/// The connections of one profile.
#[derive(Default)]
pub struct Table {
    by_id: HashMap<ConnectionId, Connection>,
    by_addr: HashMap<(Transport, SocketAddr), ConnectionId>,
    sources: Sources,
}

/// Why there is no room for a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Full {
    #[error("max-connections is reached")]
    All,
    #[error("max-connections-per-ip is reached")]
    Source,
}

/// No two connections of this process have the same number: a binding may outlive its profile, and must not come to
/// mean somebody else's connection.
fn next_id() -> ConnectionId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    ConnectionId(NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Table {
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_full(&self, limits: &ConnectionLimits) -> bool {
        self.by_id.len() >= limits.all
    }

    /// Whether somebody at this address may open one more.
    pub fn room_for(&self, source: IpAddr, limits: &ConnectionLimits) -> Result<(), Full> {
        match () {
            () if self.is_full(limits) => Err(Full::All),
            () if self.sources.count(source) >= limits.per_source => Err(Full::Source),
            () => Ok(()),
        }
    }

    /// One that somebody opened; its peer with its number.
    pub fn accept(&mut self, transport: Transport, addr: SocketAddr) -> (Peer, Waiting) {
        self.sources.add(addr.ip());
        self.add(transport, addr, None, true)
    }

    /// One that is opened from here.
    pub fn connect(&mut self, transport: Transport, addr: SocketAddr, host: Option<&str>) -> (Peer, Waiting) {
        self.add(transport, addr, host.map(Box::from), false)
    }

    fn add(
        &mut self,
        transport: Transport,
        addr: SocketAddr,
        host: Option<Box<str>>,
        accepted: bool,
    ) -> (Peer, Waiting) {
        let id = next_id();
        let peer = Peer { transport, addr, connection: Some(id) };
        let (outbox, waiting) = outbox::new();
        self.by_id.insert(id, Connection { peer, outbox, host, accepted, is_flow: false, task: None });
        self.by_addr.insert((transport, addr), id);
        (peer, waiting)
    }

    /// The connection's task, to be ended with it.
    pub fn keep(&mut self, peer: Peer, task: JoinHandle<()>) {
        if let Some(connection) = peer.connection.and_then(|id| self.by_id.get_mut(&id)) {
            connection.task = Some(task);
        }
    }

    /// Its device keeps it alive from here on.
    pub fn make_flow(&mut self, peer: &Peer) {
        if let Some(connection) = peer.connection.and_then(|id| self.by_id.get_mut(&id)) {
            connection.is_flow = true;
        }
    }

    /// The very connection.
    pub fn get(&self, peer: &Peer) -> Option<&Connection> {
        self.by_id.get(&peer.connection?)
    }

    /// Any to this address. One that was made to another host than `host` is another server's, RFC 5922 §4.
    pub fn find(&self, transport: Transport, addr: SocketAddr, host: Option<&str>) -> Option<&Connection> {
        let connection = self.by_id.get(self.by_addr.get(&(transport, addr))?)?;
        let fits = connection.accepted
            || connection.host.as_deref().is_none_or(|known| host.is_none_or(|host| host == known));
        fits.then_some(connection)
    }

    pub fn peers(&self) -> impl Iterator<Item = Peer> {
        self.by_id.values().map(|connection| connection.peer)
    }

    /// Takes it out; its task ends once what waits in its outbox was written, or with [`Connection::abort`].
    pub fn remove(&mut self, peer: &Peer) -> Option<Connection> {
        let connection = self.by_id.remove(&peer.connection?)?;
        let at = (connection.peer.transport, connection.peer.addr);
        if self.by_addr.get(&at) == connection.peer.connection.as_ref() {
            self.by_addr.remove(&at);
        }
        if connection.accepted {
            self.sources.remove(connection.peer.addr.ip());
        }
        Some(connection)
    }

    pub fn into_connections(self) -> impl Iterator<Item = Connection> {
        self.by_id.into_values()
    }
}

impl Connection {
    /// Ends it at once.
    pub fn abort(self) {
        if let Some(task) = self.task {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const AT: &str = "192.0.2.1:5061";

    #[test]
    fn there_is_room_for_so_many() {
        let mut table = Table::default();
        let limits = ConnectionLimits { all: 3, per_source: 2, idle: Duration::ZERO, flow: None };
        let room = |table: &Table, ip: &str| table.room_for(ip.parse().unwrap(), &limits);
        let (first, _) = table.accept(Transport::Tcp, "192.0.2.1:1".parse().unwrap());
        table.accept(Transport::Ws, "192.0.2.1:2".parse().unwrap());
        assert_eq!(room(&table, "192.0.2.1"), Err(Full::Source));
        assert_eq!(room(&table, "192.0.2.2"), Ok(()));
        table.connect(Transport::Tcp, "192.0.2.1:3".parse().unwrap(), None);
        assert_eq!(room(&table, "192.0.2.2"), Err(Full::All));
        assert!(table.remove(&first).is_some() && table.remove(&first).is_none());
        assert_eq!(room(&table, "192.0.2.1"), Ok(()));
    }

    #[test]
    fn a_connection_is_used_for_the_host_it_was_made_to() {
        let mut table = Table::default();
        let addr = AT.parse().unwrap();
        let find = |table: &Table, transport, host| {
            table.find(transport, addr, host).map(|connection| connection.peer)
        };
        let (a, _) = table.connect(Transport::Tls, addr, Some("a.test"));
        assert_eq!(find(&table, Transport::Tls, Some("a.test")), Some(a));
        assert_eq!(find(&table, Transport::Tls, Some("b.test")), None);
        assert_eq!(find(&table, Transport::Tcp, Some("a.test")), None);
        let (b, _) = table.connect(Transport::Tls, addr, Some("b.test"));
        table.remove(&a);
        assert_eq!(find(&table, Transport::Tls, Some("b.test")), Some(b));
        let (accepted, _) = table.accept(Transport::Tls, addr);
        assert_eq!(find(&table, Transport::Tls, Some("c.test")), Some(accepted));
    }
}
