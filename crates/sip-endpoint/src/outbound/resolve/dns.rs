//! The questions themselves.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_sip_proto::Transport;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::sync::OnceCell;

use super::choose::{Found, Naptr, Server, Service, services};
use crate::config::Hop;

/// SRV records of one name that are looked at.
const SERVERS: usize = 32;
/// Addresses of one server that are tried.
const ADDRESSES: usize = 8;
/// Where DNS says nothing of how long an answer holds: the machine's hosts file, for instance.
const TTL: Duration = Duration::from_secs(60);

/// A resolver, made at the first question. The machine's configuration is read then, unless servers are named.
pub struct Dns {
    servers: Vec<SocketAddr>,
    resolver: OnceCell<Option<TokioResolver>>,
}

/// The earliest time at which a part of the answer runs out.
struct Until(Option<Instant>);

impl Until {
    fn note(&mut self, until: Instant) {
        self.0 = Some(self.0.map_or(until, |known| known.min(until)));
    }
}

impl Dns {
    pub fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers, resolver: OnceCell::new() }
    }

    pub fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// What there is of the hop, and how long that holds.
    pub async fn find(&self, hop: &Hop) -> (Arc<Found>, Duration) {
        let Some(resolver) = self.resolver.get_or_init(|| async { self.built() }).await else {
            return (Arc::default(), Duration::ZERO);
        };
        let mut until = Until(None);
        let found = Asking { resolver, until: &mut until }.find(hop).await;
        let ttl = until.0.map_or(TTL, |until| until.saturating_duration_since(Instant::now()));
        (Arc::new(found), ttl)
    }

    fn built(&self) -> Option<TokioResolver> {
        let builder = if self.servers.is_empty() {
            TokioResolver::builder_tokio()
        } else {
            let servers = self.servers.iter().map(|server| name_server(*server)).collect();
            let config = ResolverConfig::from_parts(None, Vec::new(), servers);
            Ok(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()))
        };
        let built = builder.and_then(|mut builder| {
            let options = builder.options_mut();
            options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
            // Answers are kept here, sorted out.
            options.cache_size = 0;
            options.timeout = Duration::from_secs(2);
            builder.build()
        });
        built.inspect_err(|error| tracing::error!(%error, "DNS is not available")).ok()
    }
}

fn name_server(server: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    NameServerConfig::new(server.ip(), true, connections.into())
}

struct Asking<'q> {
    resolver: &'q TokioResolver,
    until: &'q mut Until,
}

impl Asking<'_> {
    async fn find(&mut self, hop: &Hop) -> Found {
        let Hop { host, port, transport } = hop;
        let fixed = transport.is_some();
        let usual = transport.unwrap_or(Transport::Udp);
        let mut found = Found::default();
        // RFC 3263 §4.2: a port means that only addresses are asked for.
        if port.is_none() {
            found = self.services(host, *transport).await;
        }
        if found.0.is_empty() {
            let addresses = self.addresses(host).await;
            if !addresses.is_empty() {
                let port = port.unwrap_or(usual.default_port());
                let server = Server { priority: 0, weight: 0, port, addresses };
                found.0.push(Service { transport: usual, fixed, servers: vec![server] });
            }
        }
        found
    }

    async fn services(&mut self, host: &str, transport: Option<Transport>) -> Found {
        let naptr = if transport.is_none() { self.naptr(host).await } else { Vec::new() };
        let mut found = Found::default();
        for (transport, name) in services(naptr, host, transport) {
            let servers = self.servers(&name).await;
            if !servers.is_empty() {
                found.0.push(Service { transport, fixed: true, servers });
            }
        }
        found
    }

    async fn naptr(&mut self, host: &str) -> Vec<Naptr> {
        let records = self.records(&absolute(host), RecordType::NAPTR).await;
        let naptr = |data| match data {
            RData::NAPTR(naptr) => Some(Naptr {
                order: naptr.order,
                preference: naptr.preference,
                service: String::from_utf8_lossy(&naptr.services).into_owned(),
                replacement: naptr.replacement.to_utf8(),
            }),
            _ => None,
        };
        records.into_iter().filter_map(naptr).collect()
    }

    async fn servers(&mut self, name: &str) -> Vec<Server> {
        let mut servers = Vec::new();
        for data in self.records(&absolute(name), RecordType::SRV).await.into_iter().take(SERVERS) {
            let RData::SRV(srv) = data else { continue };
            // RFC 2782: a target of "." says that the service is not there.
            if srv.target.is_root() {
                continue;
            }
            let addresses = self.addresses(&srv.target.to_utf8()).await;
            if !addresses.is_empty() {
                let (priority, weight, port) = (srv.priority, srv.weight, srv.port);
                servers.push(Server { priority, weight, port, addresses });
            }
        }
        servers
    }

    async fn records(&mut self, name: &str, kind: RecordType) -> Vec<RData> {
        let Ok(answer) = self.resolver.lookup(name, kind).await else { return Vec::new() };
        self.until.note(answer.valid_until());
        answer.answers().iter().map(|record| record.data.clone()).collect()
    }

    async fn addresses(&mut self, host: &str) -> Vec<IpAddr> {
        let Ok(answer) = self.resolver.lookup_ip(host).await else { return Vec::new() };
        self.until.note(answer.as_lookup().valid_until());
        answer.iter().take(ADDRESSES).collect()
    }
}

/// Names of services are whole: the machine's search list is for people.
fn absolute(name: &str) -> String {
    if name.ends_with('.') { name.to_owned() } else { format!("{name}.") }
}
