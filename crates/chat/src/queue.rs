//! The messages that wait.

use std::sync::Arc;

use chappe_store::{Change, MemoryStore, MessageId, State, Store, StoreError};

/// The messages that wait.
pub struct Queue {
    store: Arc<dyn Store>,
}

impl Queue {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { store: Arc::new(MemoryStore::default()) })
    }

    /// Where messages are kept; `None`: nowhere.
    pub fn store(&self) -> Option<Arc<dyn Store>> {
        Some(self.store.clone())
    }

    /// What waits for the recipient is tried now.
    pub fn retry(self: &Arc<Self>, _: &str) {}

    /// Messages that wait for a recipient.
    pub fn waiting(&self, _: &str) -> u64 {
        0
    }

    /// Takes a message back. `Ok(false)`: it is not there, or it is final.
    pub async fn cancel(&self, id: &MessageId) -> Result<bool, StoreError> {
        self.store.change(id, Change::Ended { at: 0, state: State::Cancelled, attempts: Vec::new() }).await
    }
}
