//! Who holds the tables, and the apps and commands that reach them.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use chappe_api::{Command, Registry};
use chappe_chat::{App, Router};
use chappe_event::{Bus, Clock, Event, EventName, EventRow};

use crate::{Counters, Database, HashTable, TableError, Usage, apps, commands};

pub const HASH_MODULE: &str = "mod_hash";
pub const DB_MODULE: &str = "mod_db";
/// Brings the app `limit`.
pub const DPTOOLS_MODULE: &str = "mod_dptools";
/// Brings the API commands about limits.
pub const COMMANDS_MODULE: &str = "mod_commands";

/// FreeSWITCH switch_limit.h.
const LIMIT_USAGE: &str = "limit::usage";

/// The events of limits.
pub const EVENTS: &[EventRow] = &[EventRow::custom(
    LIMIT_USAGE,
    "The app `limit` counted a message.",
    &["backend", "realm", "key", "usage", "rate", "max", "ratemax"],
)];

/// The tables of a server, each while its module is loaded.
pub struct Tables {
    clock: Arc<dyn Clock>,
    bus: Arc<Bus>,
    pub(crate) host: String,
    hash: ArcSwapOption<Hash>,
    db: ArcSwapOption<Db>,
}

pub(crate) struct Hash {
    pub(crate) table: HashTable,
    pub(crate) limits: Arc<Counters>,
}

pub(crate) struct Db {
    pub(crate) database: Database,
    /// What is under way is over when the server is, so that it need not be on disk.
    pub(crate) limits: Arc<Counters>,
}

impl Tables {
    /// No module is loaded yet. `host` is what the server is called.
    pub fn new(clock: Arc<dyn Clock>, bus: Arc<Bus>, host: &str) -> Arc<Self> {
        let (hash, db) = (ArcSwapOption::empty(), ArcSwapOption::empty());
        Arc::new(Self { clock, bus, host: host.to_owned(), hash, db })
    }

    /// Begins with an empty table in memory.
    pub fn open_hash(&self) {
        self.hash.store(Some(Arc::new(Hash { table: HashTable::default(), limits: Arc::default() })));
    }

    /// Forgets the table in memory.
    pub fn close_hash(&self) {
        self.hash.store(None);
    }

    /// Opens the database in `folder`. Blocks.
    pub fn open_db(&self, folder: &Path) -> Result<(), TableError> {
        let database = Database::open(folder, &self.host)?;
        self.db.store(Some(Arc::new(Db { database, limits: Arc::default() })));
        Ok(())
    }

    /// Closes the database; what is asked already is done first.
    pub fn close_db(&self) {
        self.db.store(None);
    }

    /// Adds the apps and API commands that belong to `module`.
    pub fn register(self: &Arc<Self>, module: &str, router: &Router, registry: &Registry) {
        for command in commands::of_module(module, self) {
            registry.add(command as Arc<dyn Command>);
        }
        for app in apps::of_module(module, self) {
            router.add_app(app as Arc<dyn App>);
        }
    }

    /// The limits' backends there are.
    pub fn backends(&self) -> Vec<(&'static str, &'static str)> {
        let hash = self.hash.load().is_some().then_some(("hash", HASH_MODULE));
        let db = self.db.load().is_some().then_some(("db", DB_MODULE));
        db.into_iter().chain(hash).collect()
    }

    pub(crate) fn hash(&self) -> Option<Arc<Hash>> {
        self.hash.load_full()
    }

    pub(crate) fn db(&self) -> Option<Arc<Db>> {
        self.db.load_full()
    }

    /// The counters of a backend.
    pub(crate) fn limits(&self, backend: &str) -> Option<Arc<Counters>> {
        match backend {
            "hash" => self.hash().map(|hash| hash.limits.clone()),
            "db" => self.db().map(|db| db.limits.clone()),
            _ => None,
        }
    }

    /// Seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.clock.unix_micros() / 1_000_000
    }

    /// FreeSWITCH switch_limit.c switch_limit_fire_event.
    pub(crate) fn announce(
        &self,
        backend: &str,
        realm: &str,
        resource: &str,
        usage: Usage,
        most: Option<u32>,
    ) {
        if !self.bus.wanted(EventName::Custom, Some(LIMIT_USAGE)) {
            return;
        }
        let mut event = Event::custom(LIMIT_USAGE);
        event.add("backend", backend);
        event.add("realm", realm);
        event.add("key", resource);
        event.add_display("usage", usage.usage);
        event.add_display("rate", usage.rate);
        event.add_display("max", most.map_or(-1, i64::from));
        event.add_display("ratemax", most.unwrap_or(0));
        self.bus.fire(event);
    }
}
