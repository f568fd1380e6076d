//! The level beyond which nothing is logged, whoever reads: switch.conf's `loglevel`, `fsctl loglevel`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use chappe_event::LogLevel;

/// Shared by the layer, which obeys it, and those who change it.
#[derive(Clone)]
pub struct LogCap(Arc<AtomicU8>);

impl Default for LogCap {
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(LogLevel::Debug.number())))
    }
}

impl LogCap {
    pub fn get(&self) -> LogLevel {
        LogLevel::from_number(self.0.load(Ordering::Relaxed).into())
    }

    pub fn set(&self, level: LogLevel) {
        self.0.store(level.number(), Ordering::Relaxed);
        tracing::callsite::rebuild_interest_cache();
    }
}
