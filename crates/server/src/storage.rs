//! Where messages wait and registrations survive: `sms.conf` says it, once for the life of the server.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chappe_chat::{OfflineCopy, QueueSettings};
use chappe_chatplan::{SmsConfig, StoreChoice};
use chappe_event::Globals;
use chappe_store::{MemoryStore, SqliteStore, Store};

use crate::server::Server;

/// The store that the configuration asks for. `None`: messages are kept nowhere.
pub fn open(config: &SmsConfig, globals: &Globals) -> Option<Arc<dyn Store>> {
    match &config.store {
        StoreChoice::File(file) => Some(SqliteStore::open(&path(file, globals))),
        StoreChoice::Memory => Some(Arc::new(MemoryStore::default())),
        StoreChoice::Nowhere => None,
    }
}

/// Where that is, as operators read it.
pub fn place(config: &SmsConfig, globals: &Globals) -> String {
    match &config.store {
        StoreChoice::File(file) => format!("SQLite, {}", path(file, globals).display()),
        StoreChoice::Memory => "memory, which ends with the server".to_owned(),
        StoreChoice::Nowhere => "none".to_owned(),
    }
}

/// A relative path is one in FreeSWITCH's folder for databases.
pub fn path(file: &Path, globals: &Globals) -> PathBuf {
    Path::new(globals.get("db_dir").as_deref().unwrap_or_default()).join(file)
}

/// What the queue is told of the configuration.
pub fn queue_settings(config: &SmsConfig) -> QueueSettings {
    QueueSettings {
        ttl: config.message_ttl,
        history: config.message_history,
        retry: config.retry_intervals.clone(),
        copies: if config.copies_for_all { OfflineCopy::EveryDevice } else { OfflineCopy::First },
        max_per_user: config.max_waiting_per_user,
        max_per_sender: match config.max_waiting_per_sender {
            0 => u64::MAX,
            most => most,
        },
        max_in_all: config.max_waiting,
        window: config.duplicate_window,
    }
}

/// Lets the queue take up what waits, while the server takes messages already.
pub fn take_up(server: &Arc<Server>) {
    let Some(store) = server.store.clone() else { return };
    let queue = server.router.queue().clone();
    queue.is_about_to_open();
    server.runtime.spawn(async move {
        if let Err(error) = queue.open(store).await {
            tracing::error!("The messages that wait can't be read: {error}");
        }
        queue.keep_house().await;
    });
}

/// How long the last writes are waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Writes what is still to be written, when the server ends.
pub async fn let_go(server: &Server) {
    let Some(store) = &server.store else { return };
    if tokio::time::timeout(PATIENCE, store.flush()).await.is_err() {
        tracing::warn!("the store is slow: what became of the last messages may not be written down");
    }
}
