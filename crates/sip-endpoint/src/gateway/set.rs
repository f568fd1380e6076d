//! The gateways of one profile.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_current::{Current, Loaded};
use parking_lot::{Condvar, Mutex};

use super::Gateway;
use super::words::Announced;
use crate::config::GatewayConfig;

/// Read by every shard without a lock; changed by reloads, commands and the first shard, one at a time.
#[derive(Default)]
pub struct Gateways {
    list: Current<Vec<Arc<Gateway>>>,
    turn: Mutex<()>,
    told: Condvar,
}

/// What [`Gateways::configure`] did.
#[derive(Default)]
pub struct Configured {
    pub added: Vec<Arc<Gateway>>,
    /// To be unregistered, then removed.
    pub deleted: Vec<Arc<Gateway>>,
}

impl Gateways {
    pub fn all(&self) -> Loaded<Vec<Arc<Gateway>>> {
        self.list.load()
    }

    pub fn is_empty(&self) -> bool {
        self.list.load().is_empty()
    }

    /// The one of that name which is not on its way out.
    pub fn find(&self, name: &str) -> Option<Arc<Gateway>> {
        self.list.load().iter().find(|known| known.config.name == name && !known.is_deleted()).cloned()
    }

    /// Makes them those of the configuration. One that did not change stays as it is; one that did is another gateway.
    pub fn configure(
        &self,
        wanted: &[GatewayConfig],
        profile: &Arc<str>,
        own: SocketAddr,
        announced: Announced<'_>,
    ) -> Configured {
        let _turn = self.turn.lock();
        let mut configured = Configured::default();
        let mut all = (**self.list.load()).clone();
        for gateway in all.iter().filter(|gateway| !gateway.is_deleted()) {
            let contact = super::Words::new(&gateway.config, own, announced).contact;
            if !wanted.contains(&gateway.config) || contact != gateway.words.contact {
                gateway.delete();
                configured.deleted.push(gateway.clone());
            }
        }
        for config in wanted {
            if !all.iter().any(|known| known.config.name == config.name && !known.is_deleted()) {
                let gateway = Gateway::new(config, profile.clone(), own, announced);
                configured.added.push(gateway.clone());
                all.push(gateway);
            }
        }
        self.list.store(Arc::new(all));
        configured
    }

    /// Marks it, so that it goes away once it is unregistered; all without a name.
    pub fn delete(&self, name: Option<&str>) -> Vec<Arc<Gateway>> {
        let _turn = self.turn.lock();
        let all = self.list.load();
        let meant = |gateway: &&Arc<Gateway>| {
            !gateway.is_deleted() && name.is_none_or(|name| gateway.config.name == name)
        };
        let deleted: Vec<_> = all.iter().filter(meant).cloned().collect();
        deleted.iter().for_each(|gateway| gateway.delete());
        deleted
    }

    /// Whether nobody waits to be let go.
    pub fn are_quiet(&self) -> bool {
        self.list.load().iter().all(|gateway| gateway.is_left())
    }

    /// Something has become of one of them.
    pub fn tell(&self) {
        // Whoever is about to wait holds the lock, and must not miss this.
        drop(self.turn.lock());
        self.told.notify_all();
    }

    /// Waits until they are, or this time has passed.
    pub fn wait_until_quiet(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let mut turn = self.turn.lock();
        while !self.are_quiet() && !self.told.wait_until(&mut turn, until).timed_out() {}
    }

    pub fn remove(&self, gateway: &Arc<Gateway>) {
        let _turn = self.turn.lock();
        let mut all = (**self.list.load()).clone();
        all.retain(|known| !Arc::ptr_eq(known, gateway));
        self.list.store(Arc::new(all));
    }
}
