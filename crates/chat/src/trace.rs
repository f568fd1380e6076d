//! The chatplan's trace, as log lines.

use std::fmt;

use chappe_chatplan::Trace;
use chappe_event::LogLevel;
use tracing::Level;

/// Writes each line to the log; asks nobody to format what the log does not take.
pub(crate) struct LogTrace;

impl Trace for LogTrace {
    fn wanted(&self, level: LogLevel) -> bool {
        match level {
            LogLevel::Err => tracing::enabled!(Level::ERROR),
            LogLevel::Warning => tracing::enabled!(Level::WARN),
            LogLevel::Info => tracing::enabled!(Level::INFO),
            _ => tracing::enabled!(Level::DEBUG),
        }
    }

    fn line(&mut self, level: LogLevel, clean: bool, text: fmt::Arguments<'_>) {
        match level {
            LogLevel::Err => tracing::error!("{text}"),
            LogLevel::Warning => tracing::warn!("{text}"),
            LogLevel::Info => tracing::info!("{text}"),
            _ if clean => tracing::debug!(clean = true, "{text}"),
            _ => tracing::debug!("{text}"),
        }
    }
}
