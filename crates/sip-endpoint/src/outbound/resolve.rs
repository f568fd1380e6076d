//! Where the server of a domain is: RFC 3263, asked on the tokio runtime and awaited anywhere.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chappe_sip_proto::{Peer, Transport};
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::sync::{OnceCell, Semaphore, oneshot};

/// Questions under way at a time; more wait, and each gives up in time.
const QUESTIONS: usize = 256;
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks DNS. The machine's resolver configuration is read at the first question.
pub struct Resolver {
    runtime: tokio::runtime::Handle,
    shared: Arc<Shared>,
}

struct Shared {
    resolver: OnceCell<Option<TokioResolver>>,
    questions: Semaphore,
}

impl Resolver {
    pub fn new(runtime: tokio::runtime::Handle) -> Self {
        let shared = Shared { resolver: OnceCell::new(), questions: Semaphore::new(QUESTIONS) };
        Self { runtime, shared: Arc::new(shared) }
    }

    /// The first place where `host` takes SIP, by the transports that we speak.
    pub fn resolve(
        &self,
        host: String,
        port: Option<u16>,
        transport: Option<Transport>,
    ) -> oneshot::Receiver<Option<Peer>> {
        let (answer, receiver) = oneshot::channel();
        let shared = self.shared.clone();
        self.runtime.spawn(async move {
            let found = tokio::time::timeout(PATIENCE, shared.find(&host, port, transport)).await;
            // Whoever asked may have gone meanwhile.
            let _ = answer.send(found.ok().flatten());
        });
        receiver
    }
}

impl Shared {
    async fn find(&self, host: &str, port: Option<u16>, transport: Option<Transport>) -> Option<Peer> {
        let _turn = self.questions.acquire().await.ok()?;
        let resolver = self.resolver.get_or_init(|| async { system_resolver() }).await.as_ref()?;
        if let Some(port) = port {
            // RFC 3263 §4.2: a port means that only addresses are asked for.
            let transport = transport.unwrap_or(Transport::Udp);
            return address(resolver, host).await.map(|ip| peer(transport, ip, port));
        }
        for (transport, name) in services(resolver, host, transport).await {
            if let Some((target, port)) = server(resolver, &name).await
                && let Some(ip) = address(resolver, &target).await
            {
                return Some(peer(transport, ip, port));
            }
        }
        let transport = transport.unwrap_or(Transport::Udp);
        address(resolver, host).await.map(|ip| peer(transport, ip, transport.default_port()))
    }
}

fn system_resolver() -> Option<TokioResolver> {
    let built = TokioResolver::builder_tokio().and_then(|builder| builder.build());
    built.inspect_err(|error| tracing::error!(%error, "DNS is not available")).ok()
}

fn peer(transport: Transport, ip: IpAddr, port: u16) -> Peer {
    Peer { transport, addr: SocketAddr::new(ip, port), connection: None }
}

/// RFC 3263 §4.1: the SRV names to ask, those of NAPTR first.
async fn services(
    resolver: &TokioResolver,
    host: &str,
    transport: Option<Transport>,
) -> Vec<(Transport, String)> {
    let wanted = |known: Transport| transport.is_none_or(|transport| transport == known);
    let mut names = Vec::new();
    if transport.is_none()
        && let Ok(answer) = resolver.lookup(host, RecordType::NAPTR).await
    {
        names = naptr(answer.answers().iter().map(|record| &record.data));
    }
    if names.is_empty() {
        names = vec![
            (Transport::Udp, format!("_sip._udp.{host}")),
            (Transport::Tcp, format!("_sip._tcp.{host}")),
            (Transport::Tls, format!("_sips._tcp.{host}")),
        ];
    }
    names.retain(|(known, _)| wanted(*known));
    names
}

fn naptr<'r>(records: impl Iterator<Item = &'r RData>) -> Vec<(Transport, String)> {
    let mut found: Vec<_> = records
        .filter_map(|data| match data {
            RData::NAPTR(naptr) => {
                let transport = match naptr.services.to_ascii_uppercase().as_slice() {
                    b"SIP+D2U" => Transport::Udp,
                    b"SIP+D2T" => Transport::Tcp,
                    b"SIPS+D2T" => Transport::Tls,
                    _ => return None,
                };
                Some((naptr.order, naptr.preference, transport, naptr.replacement.to_utf8()))
            }
            _ => None,
        })
        .collect();
    found.sort_by_key(|(order, preference, ..)| (*order, *preference));
    found.into_iter().map(|(_, _, transport, name)| (transport, name)).collect()
}

/// The server that comes first, RFC 2782.
async fn server(resolver: &TokioResolver, name: &str) -> Option<(String, u16)> {
    let answer = resolver.lookup(name, RecordType::SRV).await.ok()?;
    let servers = answer.answers().iter().filter_map(|record| match &record.data {
        RData::SRV(srv) => Some(srv),
        _ => None,
    });
    let best = servers.min_by_key(|srv| (srv.priority, u16::MAX - srv.weight))?;
    Some((best.target.to_utf8(), best.port))
}

async fn address(resolver: &TokioResolver, host: &str) -> Option<IpAddr> {
    resolver.lookup_ip(host).await.ok()?.iter().next()
}
