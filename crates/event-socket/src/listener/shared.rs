//! Events and log lines that several clients are sent: written once in each form, by whoever needs it first.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use chappe_event::{Event, LogLine};

use crate::frame;
use crate::subscription::Format;

/// An event, and its frames as far as somebody asked for them.
pub(super) struct SharedEvent {
    event: Arc<Event>,
    /// Octets it holds, roughly.
    pub(super) size: usize,
    frames: [OnceLock<Bytes>; Format::ALL.len()],
}

impl SharedEvent {
    pub(super) fn new(event: Arc<Event>) -> Self {
        let headers: usize =
            event.headers().map(|(name, value)| name.len() + value.as_str().len() + 16).sum();
        let size = headers + event.body().map_or(0, Bytes::len) + 256;
        Self { event, size, frames: Default::default() }
    }

    pub(super) fn frame(&self, format: Format) -> Bytes {
        self.frames[format as usize].get_or_init(|| frame::event(&self.event, format)).clone()
    }
}

/// A log line, and its frame once somebody asked for it.
pub(super) struct SharedLine {
    line: Arc<LogLine>,
    pub(super) size: usize,
    frame: OnceLock<Bytes>,
}

impl SharedLine {
    pub(super) fn new(line: Arc<LogLine>) -> Self {
        let size = line.text.len() + 256;
        Self { line, size, frame: OnceLock::new() }
    }

    pub(super) fn frame(&self) -> Bytes {
        self.frame.get_or_init(|| frame::log(&self.line)).clone()
    }
}
