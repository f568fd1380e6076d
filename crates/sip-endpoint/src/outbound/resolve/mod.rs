//! Where the servers of a domain are: RFC 3263, asked on the tokio runtime and awaited anywhere.

mod cache;
mod choose;
mod dns;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_sip_proto::{Peer, Transport};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};

use crate::config::Hop;
use crate::shard::Random;
use cache::Cache;
pub use choose::{Target, Targets, for_size};
use dns::Dns;

/// Questions under way at a time; more wait, and each gives up in time.
const QUESTIONS: usize = 256;
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks DNS. What was found is kept as long as DNS says, and that nothing was found for some seconds.
pub struct Resolver {
    runtime: tokio::runtime::Handle,
    shared: Arc<Shared>,
}

struct Shared {
    dns: Mutex<Arc<Dns>>,
    cache: Mutex<Cache>,
    questions: Semaphore,
    random: Mutex<Random>,
}

impl Resolver {
    pub fn new(runtime: tokio::runtime::Handle) -> Self {
        let shared = Shared {
            dns: Mutex::new(Arc::new(Dns::new(Vec::new()))),
            cache: Mutex::default(),
            questions: Semaphore::new(QUESTIONS),
            random: Mutex::new(Random::new()),
        };
        Self { runtime, shared: Arc::new(shared) }
    }

    /// Asks these servers from here on; without any, those of the machine's own configuration.
    pub fn ask(&self, servers: &[SocketAddr]) {
        let mut dns = self.shared.dns.lock();
        if dns.servers() != servers {
            *dns = Arc::new(Dns::new(servers.to_vec()));
            *self.shared.cache.lock() = Cache::default();
        }
    }

    /// Where the hop takes SIP, by the transports that we speak: what is to be tried first comes first. Empty: nowhere.
    pub fn resolve(&self, hop: Hop) -> oneshot::Receiver<Targets> {
        let (answer, receiver) = oneshot::channel();
        if let Some(targets) = direct(&hop).or_else(|| self.shared.known(&hop)) {
            // Nobody can have gone yet.
            let _ = answer.send(targets);
            return receiver;
        }
        let shared = self.shared.clone();
        self.runtime.spawn(async move {
            let found = tokio::time::timeout(PATIENCE, shared.find(&hop)).await.unwrap_or_default();
            // Whoever asked may have gone meanwhile.
            let _ = answer.send(found);
        });
        receiver
    }
}

/// RFC 3263 §4.1, §4.2: a numeric address is where it is, by UDP where nothing else is written.
fn direct(hop: &Hop) -> Option<Targets> {
    let transport = hop.transport.unwrap_or(Transport::Udp);
    let addr = SocketAddr::new(hop.ip()?, hop.port.unwrap_or(transport.default_port()));
    let peer = Peer { transport, addr, connection: None };
    Some(vec![Target { peer, fixed: hop.transport.is_some() }])
}

impl Shared {
    fn known(&self, hop: &Hop) -> Option<Targets> {
        let found = self.cache.lock().get(hop, Instant::now())?;
        Some(self.in_order(&found))
    }

    /// Each asking draws anew, so that servers get their share.
    fn in_order(&self, found: &choose::Found) -> Targets {
        let mut random = self.random.lock();
        found.targets(|most| (random.next() % (u64::from(most) + 1)) as u32)
    }

    async fn find(&self, hop: &Hop) -> Targets {
        let Ok(_turn) = self.questions.acquire().await else { return Targets::new() };
        // Whoever waited for a turn may have waited for this very answer.
        if let Some(targets) = self.known(hop) {
            return targets;
        }
        let dns = self.dns.lock().clone();
        let (found, ttl) = dns.find(hop).await;
        self.cache.lock().keep(hop.clone(), found.clone(), ttl, Instant::now());
        self.in_order(&found)
    }
}
