//! A running profile: its shards, connections, bindings and settings.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use chappe_current::{Current, Loaded};
use chappe_event::Identity;
use chappe_sip_proto::registrar::{Aor, Binding};
use chappe_sip_proto::{Peer, Transport};
use parking_lot::Mutex;

use crate::auth::Authenticator;
use crate::config::{ListenIp, ProfileConfig};
use crate::endpoint::Listening;
use crate::gateway::Gateways;
use crate::guard;
use crate::kept::Keeper;
use crate::push::{Asked, Waker, Why};
use crate::registrar::Registrar;
use crate::restore;
use crate::shard::{self, Mail, Mailbox, SendJob, Work};
use crate::transport::doors::{self, House};
use crate::transport::entrance::Entrance;
use crate::transport::{Connections, Doorkeeper, Listeners, TlsClient, udp};
use crate::world::World;
use crate::{EndpointError, inbound};

/// What a profile's configuration comes to, worked out once.
pub struct Settings {
    pub config: ProfileConfig,
    /// `192.0.2.1:5060`, for Via and the addresses of the profile itself.
    pub sent_by: String,
    /// The same of the other transports that are listened on.
    others: Vec<(Transport, String)>,
    /// What those are told that stand on this side of the NAT.
    inside: Option<Inside>,
    /// `sip:mod_sofia@192.0.2.1:5060`.
    pub login: String,
    /// The value of Contact.
    pub contact: String,
    /// The host of users whose address names none.
    pub domain: String,
    /// The header lines that every outgoing request has.
    pub request_lines: Vec<u8>,
}

/// `local-network-acl`.
struct Inside {
    acl: String,
    sent_by: String,
    others: Vec<(Transport, String)>,
}

impl Inside {
    /// `None`: everybody is told the same.
    fn new(
        config: &ProfileConfig,
        addr: SocketAddr,
        others: &[(Transport, SocketAddr)],
        identity: &Identity,
    ) -> Option<Self> {
        let acl = config.local_network_acl.clone().filter(|_| config.ext_sip_ip.is_some())?;
        let own = |at: SocketAddr| {
            let ip = if at.ip().is_unspecified() { own_ip(at.is_ipv6(), identity) } else { at.ip() };
            SocketAddr::new(ip, at.port()).to_string()
        };
        let others = others.iter().map(|(transport, at)| (*transport, own(*at))).collect();
        Some(Self { acl, sent_by: own(addr), others })
    }
}

impl Settings {
    fn new(
        config: &ProfileConfig,
        addr: SocketAddr,
        others: Vec<(Transport, SocketAddr)>,
        identity: &Identity,
    ) -> Self {
        let inside = Inside::new(config, addr, &others, identity);
        let ip = announced(config, addr, identity);
        let other = |(transport, at): (Transport, SocketAddr)| {
            let ip = if at.ip() == addr.ip() { ip } else { announced(config, at, identity) };
            (transport, SocketAddr::new(ip, at.port()).to_string())
        };
        let port = config.ext_sip_port.unwrap_or(addr.port());
        let sent_by = SocketAddr::new(ip, port).to_string();
        let login = format!("sip:{}@{sent_by}", config.username);
        let agent = &config.user_agent;
        let lines = format!("User-Agent: {agent}\r\nAllow: {}\r\nSupported: path\r\n", inbound::ALLOW);
        let host = ip.to_string();
        let domains = [&config.sip_domain, &config.force_register_domain, &config.force_register_db_domain];
        Self {
            contact: format!("<{login}>"),
            domain: domains.into_iter().flatten().next().cloned().unwrap_or(host),
            config: config.clone(),
            sent_by,
            others: others.into_iter().map(other).collect(),
            inside,
            login,
            request_lines: lines.into_bytes(),
        }
    }

    /// The profile's address for the Via of a request to this peer.
    pub fn sent_by_to(&self, world: &World, peer: Peer) -> &str {
        match &self.inside {
            Some(inside) if world.view().acl.allows(&inside.acl, peer.addr.ip().to_canonical()) => {
                let other = inside.others.iter().find(|(known, _)| *known == peer.transport);
                other.map_or(&inside.sent_by, |(_, sent_by)| sent_by)
            }
            _ => self.sent_by(peer.transport),
        }
    }

    /// The profile's address for Via; that of UDP and TCP where a transport is not listened on.
    pub fn sent_by(&self, transport: Transport) -> &str {
        self.other(transport).unwrap_or(&self.sent_by)
    }

    fn other(&self, transport: Transport) -> Option<&str> {
        self.others.iter().find(|(known, _)| *known == transport).map(|(_, sent_by)| sent_by.as_str())
    }

    /// `sip:mod_sofia@192.0.2.1:5061`, where TLS or WebSocket is listened on.
    pub fn login_by(&self, transport: Transport) -> Option<String> {
        Some(format!("sip:{}@{}", self.config.username, self.other(transport)?))
    }
}

/// The address that others are told.
fn announced(config: &ProfileConfig, addr: SocketAddr, identity: &Identity) -> IpAddr {
    let own = || own_ip(addr.is_ipv6(), identity);
    match config.ext_sip_ip {
        Some(ListenIp::Ip(ip)) => ip,
        Some(ListenIp::Auto) => own(),
        None if addr.ip().is_unspecified() => own(),
        None => addr.ip(),
    }
}

fn own_ip(v6: bool, identity: &Identity) -> IpAddr {
    let text = if v6 { &identity.ipv6 } else { &identity.ipv4 };
    text.parse().unwrap_or(if v6 { IpAddr::V6(std::net::Ipv6Addr::LOCALHOST) } else { [127, 0, 0, 1].into() })
}

fn listen_addr(config: &ProfileConfig, identity: &Identity) -> SocketAddr {
    let ip = match config.sip_ip {
        ListenIp::Ip(ip) => ip,
        ListenIp::Auto => own_ip(false, identity),
    };
    SocketAddr::new(ip, config.sip_port)
}

/// What [`crate::commands`] count of a profile.
#[derive(Default)]
pub struct Counters {
    pub requests: AtomicU64,
    pub sent: AtomicU64,
    pub sent_failed: AtomicU64,
    /// Requests answered 503 for want of time or room.
    pub shed: AtomicU64,
    /// Requests and answers thrown away unread for want of time, by a shard or by the system.
    pub dropped: AtomicU64,
    /// Either happened in the last second.
    pub is_shedding: AtomicBool,
}

/// A running profile.
pub struct Profile {
    pub id: u64,
    pub name: Arc<str>,
    pub registrar: Arc<Registrar>,
    pub auth: Arc<Authenticator>,
    pub gateways: Gateways,
    pub waker: Waker,
    pub guard: guard::Guard,
    pub counters: Counters,
    pub started: Instant,
    pub addr: SocketAddr,
    settings: Current<Settings>,
    mailboxes: Vec<Arc<Mailbox>>,
    connections: Arc<Connections>,
    listeners: Listeners,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
    running: Arc<AtomicUsize>,
    stopped: AtomicBool,
    siptrace: AtomicBool,
    hasher: RandomState,
    window: RateWindow,
}

struct Sockets {
    udp: Vec<udp::Pair>,
    tcp: Option<TcpListener>,
    addr: SocketAddr,
}

impl Profile {
    /// Binds and runs. Bindings and nonces of `old`, which must be stopped, live on; without it the bindings are those in
    /// the store, see [`restore`].
    pub fn start(
        config: &ProfileConfig,
        old: Option<&Arc<Profile>>,
        world: &Arc<World>,
    ) -> Result<Arc<Self>, EndpointError> {
        if let Some(old) = old {
            old.join();
        }
        let identity = &world.deps.identity;
        let mut addr = listen_addr(config, identity);
        if let Some(old) = old.filter(|old| addr.port() == 0 && old.addr.ip() == addr.ip()) {
            // The phones know the port that the system chose.
            addr.set_port(old.addr.port());
        }
        let sockets = open(config, addr)?;
        let failed = |source| EndpointError::Thread { profile: config.name.clone(), source };
        let ends = shard::ends(&sockets.udp).map_err(failed)?;
        let mailboxes = ends.iter().map(|end| end.mailbox.clone()).collect();
        let profile = Arc::new(Self::new(config, old, sockets.addr, mailboxes, world));
        if old.is_none() {
            restore::start(&profile.registrar, world).map_err(failed)?;
        }
        profile.run(ends, sockets, world).map_err(failed)?;
        profile.open_doors(old, world);
        if let Some((transport, why)) = profile.listeners.troubles().into_iter().next()
            && config.tls.on
            && !(config.udp || config.tcp)
        {
            profile.stop();
            return Err(EndpointError::TlsOnly { profile: config.name.clone(), transport, why });
        }
        profile.configure_gateways(world);
        tracing::info!("profile {} listens on {}", profile.name, profile.addr);
        Ok(profile)
    }

    fn new(
        config: &ProfileConfig,
        old: Option<&Arc<Profile>>,
        addr: SocketAddr,
        mailboxes: Vec<Arc<Mailbox>>,
        world: &Arc<World>,
    ) -> Self {
        let tls = TlsClient::new(&config.tls, &doors::folder(config, &certificates(world)));
        let runtime = world.deps.runtime.clone();
        let name: Arc<str> = config.name.as_str().into();
        let doorkeeper = doorkeeper(name.clone(), world);
        let connections = Connections::new(mailboxes.clone(), config.connections, doorkeeper, tls, runtime);
        let registrar = || {
            let (store, clock) = (world.deps.store.clone(), world.deps.clock.clone());
            Arc::new(Registrar::new(Keeper::new(name.clone(), store, clock)))
        };
        Self {
            id: world.next_id(),
            registrar: old.map_or_else(registrar, |old| old.registrar.clone()),
            name,
            auth: old.map_or_else(|| Arc::new(Authenticator::new(config.nonce_ttl)), |old| old.auth.clone()),
            gateways: Gateways::default(),
            waker: Waker::default(),
            guard: guard::Guard::new(),
            counters: Counters::default(),
            started: Instant::now(),
            addr,
            settings: Current::new(Settings::new(config, addr, Vec::new(), &world.deps.identity)),
            listeners: Listeners::default(),
            threads: Mutex::default(),
            running: Arc::new(AtomicUsize::new(mailboxes.len())),
            stopped: AtomicBool::new(false),
            siptrace: AtomicBool::new(false),
            hasher: RandomState::new(),
            window: RateWindow::default(),
            mailboxes,
            connections,
        }
    }

    fn run(self: &Arc<Self>, ends: Vec<shard::End>, sockets: Sockets, world: &Arc<World>) -> io::Result<()> {
        for ((index, end), socket) in (0u16..).zip(ends).zip(sockets.udp) {
            let (profile, world, running) = (self.clone(), world.clone(), self.running.clone());
            let thread = std::thread::Builder::new().name(format!("{}/{index}", self.name));
            self.threads.lock().push(thread.spawn(move || {
                shard::run(index, socket, end, profile, world);
                running.fetch_sub(1, Ordering::AcqRel);
            })?);
        }
        if let Some(listener) = sockets.tcp {
            let entrance = Entrance { transport: Transport::Tcp, tls: None, origins: None };
            self.listeners.start(listener, entrance, &self.connections, &world.deps.runtime)?;
        }
        Ok(())
    }

    /// Listens for TLS and WebSocket, as far as that is wanted and not done yet.
    fn open_doors(&self, old: Option<&Arc<Profile>>, world: &World) {
        let config = self.settings().config.clone();
        let house = House {
            name: &self.name,
            config: &config,
            addr: self.addr,
            certificates: &certificates(world),
            known: old.map(|old| old.listeners.all()).unwrap_or_default(),
        };
        doors::open(&house, &self.listeners, &self.connections, &world.deps.runtime);
        self.change(&config, world);
    }

    /// What a reload does also where no param changed: certificates are looked for, and what could not be listened on is
    /// tried again.
    pub fn refresh(&self, world: &World) {
        self.listeners.reload_certificates();
        if !self.listeners.troubles().is_empty() {
            self.open_doors(None, world);
        }
    }

    /// Has a device register again, where it can be woken.
    pub fn wake(&self, world: &World, why: Why, aor: &Aor, binding: &Binding) {
        if let Some(push) = &self.settings().config.push {
            self.waker.wake(world, push, &self.name, why, aor, binding);
        }
    }

    /// Wakes those whose registration is about to run out, RFC 8599 §5.5.
    pub fn have_refreshed(&self, world: &World, now: Instant) {
        let settings = self.settings();
        let wanted = settings.config.push.as_ref().filter(|push| !push.refresh_before.is_zero());
        let Some(push) = wanted else { return };
        if self.registrar.is_restored() && self.waker.begins() {
            let can_be_woken = |binding: &Binding| Asked::of(binding.contact()).device().is_some();
            for stripe in 0..self.registrar.stripes() {
                let known = self.registrar.of_stripe(stripe, can_be_woken);
                known.iter().for_each(|(aor, binding)| self.waker.registered(push, aor, binding));
            }
        }
        for (aor, serial) in self.waker.due(now) {
            let found = self.registrar.find(now, aor.as_str());
            if let Some(binding) = found.iter().find(|binding| binding.serial() == serial) {
                self.wake(world, Why::Refresh, &aor, binding);
            }
        }
    }

    /// What has been registered.
    pub fn note_refreshes(&self, bindings: &[(Aor, Arc<Binding>)]) {
        if let Some(push) = &self.settings().config.push {
            bindings.iter().for_each(|(aor, binding)| self.waker.registered(push, aor, binding));
        }
    }

    pub fn settings(&self) -> Loaded<Settings> {
        self.settings.load()
    }

    pub fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// Transports that are wanted and not listened on, and why.
    pub fn troubles(&self) -> Vec<(Transport, String)> {
        self.listeners.troubles()
    }

    /// Whether this address is the profile's own.
    pub fn has_address(&self, ip: IpAddr) -> bool {
        let announced = self.settings().sent_by.parse().map(|addr: SocketAddr| addr.ip());
        self.addr.ip() == ip || announced.is_ok_and(|own| own == ip)
    }

    pub fn same_config(&self, wanted: &ProfileConfig) -> bool {
        self.settings().config == *wanted
    }

    /// Whether the new configuration can be had without new sockets and threads.
    pub fn can_take(&self, wanted: &ProfileConfig) -> bool {
        let settings = self.settings();
        let old = &settings.config;
        let sockets =
            |c: &ProfileConfig| (c.sip_ip, c.sip_port, c.udp, c.tcp, c.shards, c.max_flows, c.force_rport);
        let connections = |c: &ProfileConfig| (c.connections, c.nonce_ttl);
        sockets(old) == sockets(wanted)
            && connections(old) == connections(wanted)
            && old.timing == wanted.timing
            && old.tls == wanted.tls
            && old.websocket == wanted.websocket
    }

    pub fn change(&self, wanted: &ProfileConfig, world: &World) {
        let settings = Settings::new(wanted, self.addr, self.listeners.all(), &world.deps.identity);
        self.settings.store(Arc::new(settings));
        self.configure_gateways(world);
    }

    /// Makes the gateways those of the configuration, those that were killed included.
    pub fn configure_gateways(&self, world: &World) {
        let settings = self.settings();
        let wanted = &settings.config.gateways;
        let announced = |transport| settings.sent_by(transport);
        let configured = self.gateways.configure(wanted, &self.name, self.addr, &announced);
        if let Some(first) = self.mailboxes.first() {
            shard::configured(world, first, configured);
        }
    }

    /// Tells the shard that looks after gateways.
    pub fn tell_gateway(&self, gateway: Arc<crate::gateway::Gateway>, input: crate::gateway::Input) {
        if let Some(first) = self.mailboxes.first() {
            shard::tell(first, gateway, shard::News::Happened(input));
        }
    }

    /// Asks the gateways to forget us; a shard can't wait for itself.
    fn leave_gateways(&self, waits: bool) {
        let here = std::thread::current().id();
        let waits =
            waits && !self.is_finished() && !self.threads.lock().iter().any(|t| t.thread().id() == here);
        if let Some(first) = self.mailboxes.first().filter(|_| !self.gateways.is_empty()) {
            shard::leave(&self.gateways, first, waits);
        }
    }

    pub fn listening(&self) -> Vec<Listening> {
        let udp = self.settings().config.udp.then_some(("udp", self.addr));
        let connections = self.listeners.all().into_iter().map(|(known, addr)| (transport_name(known), addr));
        let all = udp.into_iter().chain(connections);
        all.map(|(transport, addr)| Listening { profile: self.name.to_string(), transport, addr }).collect()
    }

    /// Hands a request to a shard of this profile: the calling one if it is one, else the same for all to one recipient, so that
    /// they stay in order. `Err`: its mailbox is full.
    pub fn submit(&self, job: Box<SendJob>) -> Result<(), Box<SendJob>> {
        let Some(job) = shard::submit_here(self.id, job) else { return Ok(()) };
        if self.stopped.load(Ordering::Acquire) {
            return Err(job);
        }
        let recipient = job.legs.first().map(|leg| &leg.uri);
        let shard = self.hasher.hash_one(recipient) as usize % self.mailboxes.len();
        self.mailboxes[shard].send(job)
    }

    /// Lets a shard of this profile go on with the work: the same one for all that the calling thread has, in order.
    /// `Err`: its mailbox is full.
    pub fn go_on(&self, work: Work) -> Result<(), Work> {
        thread_local! {
            static TURN: usize = NEXT.fetch_add(1, Ordering::Relaxed);
        }
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        if self.stopped.load(Ordering::Acquire) {
            return Err(work);
        }
        let shard = TURN.with(|turn| turn % self.mailboxes.len());
        match self.mailboxes[shard].post(Mail::Work(work)) {
            Err(Mail::Work(work)) => Err(work),
            _ => Ok(()),
        }
    }

    pub fn mailbox(&self, shard: u16) -> Option<&Arc<Mailbox>> {
        self.mailboxes.get(usize::from(shard))
    }

    /// Whether one request more is within max-recv-requests-per-second.
    pub fn admits(&self, second: u64) -> bool {
        match self.settings().config.max_requests_per_second {
            0 => true,
            limit => self.window.count(second) <= limit,
        }
    }

    /// Whether every message is to be logged: `sofia profile NAME siptrace on`.
    pub fn is_traced(&self) -> bool {
        self.siptrace.load(Ordering::Relaxed)
    }

    pub fn trace(&self, on: bool) {
        self.siptrace.store(on, Ordering::Relaxed);
    }

    pub fn drain(&self) {
        self.listeners.stop();
        self.leave_gateways(false);
        self.mailboxes.iter().for_each(|mailbox| mailbox.drain());
    }

    /// Whether all shards have ended.
    pub fn is_finished(&self) -> bool {
        self.running.load(Ordering::Acquire) == 0
    }

    /// Ends shards and connections; what was under way is lost.
    pub fn stop(&self) {
        self.leave_gateways(true);
        self.stopped.store(true, Ordering::Release);
        self.registrar.lost();
        self.listeners.stop();
        self.mailboxes.iter().for_each(|mailbox| mailbox.stop());
        self.connections.close();
        self.join();
    }

    /// Waits for the threads, so that their sockets are closed.
    fn join(&self) {
        let here = std::thread::current().id();
        for thread in std::mem::take(&mut *self.threads.lock()) {
            // A command that came in by a message may stop the very shard it runs on.
            if thread.thread().id() != here && thread.join().is_err() {
                tracing::error!("a shard of profile {} has panicked", self.name);
            }
        }
    }
}

/// Lets in whom the profile of this name lets in.
fn doorkeeper(name: Arc<str>, world: &Arc<World>) -> Doorkeeper {
    let world = Arc::downgrade(world);
    Box::new(move |ip| world.upgrade().is_none_or(|world| guard::admits(&world, &name, ip)))
}

/// The server's folder for certificates.
fn certificates(world: &World) -> PathBuf {
    world.deps.globals.get("certs_dir").map_or_else(PathBuf::new, |folder| PathBuf::from(&*folder))
}

/// `udp`, `tcp`, `tls`, `ws`, `wss`.
pub fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
        Transport::Ws => "ws",
        Transport::Wss => "wss",
    }
}

fn open(config: &ProfileConfig, addr: SocketAddr) -> Result<Sockets, EndpointError> {
    let failed =
        |transport, source| EndpointError::Bind { profile: config.name.clone(), transport, addr, source };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let count = config.shards.unwrap_or(cores).max(1);
    if !config.udp {
        let udp = udp::without_port(addr, count).map_err(|source| failed("udp", source))?;
        let tcp =
            config.tcp.then(|| udp::listen(addr)).transpose().map_err(|source| failed("tcp", source))?;
        let bound = tcp.as_ref().and_then(|listener| listener.local_addr().ok());
        return Ok(Sockets { udp, tcp, addr: bound.unwrap_or(addr) });
    }
    if udp::is_taken(addr) {
        return Err(failed("udp", io::ErrorKind::AddrInUse.into()));
    }
    // With port 0, the port that UDP got may be taken for TCP: then another one is tried.
    let mut attempts = if addr.port() == 0 { 20 } else { 1 };
    loop {
        let udp = udp::open(addr, count).map_err(|source| failed("udp", source))?;
        let bound = udp[0].local_addr().map_err(|source| failed("udp", source))?;
        attempts -= 1;
        match config.tcp.then(|| udp::listen(bound)).transpose() {
            Ok(tcp) => return Ok(Sockets { udp, tcp, addr: bound }),
            Err(source) if attempts == 0 => return Err(failed("tcp", source)),
            Err(_) => {}
        }
    }
}

/// Requests of the current second: the second in the upper half, the count in the lower.
#[derive(Default)]
struct RateWindow(AtomicU64);

impl RateWindow {
    fn count(&self, second: u64) -> u32 {
        let start = second << 32;
        let next = |seen: u64| Some(if seen >> 32 == second & 0xffff_ffff { seen + 1 } else { start + 1 });
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let before = before.unwrap_or_default();
        if before >> 32 == second & 0xffff_ffff { (before as u32).saturating_add(1) } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_the_second() {
        let window = RateWindow::default();
        let counts: Vec<_> = [5, 5, 5, 6, 6, 9].into_iter().map(|second| window.count(second)).collect();
        assert_eq!(counts, [1, 2, 3, 1, 2, 1]);
    }
}
