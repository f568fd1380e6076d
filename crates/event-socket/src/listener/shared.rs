//! Events and log lines that several clients are sent: written once in each form, by whoever needs it first.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use chappe_event::{Event, LogLine};
use parking_lot::Mutex;

use crate::frame;
use crate::subscription::Format;

/// An event, and its frames as far as somebody asked for them. Once all forms that are wanted have been written it holds
/// the frames alone, since a client that reads nothing keeps it for long.
pub(super) struct SharedEvent {
    /// Octets it holds, roughly.
    pub(super) size: usize,
    source: Mutex<Source>,
    frames: [OnceLock<Bytes>; Format::ALL.len()],
}

/// What frames are made of.
struct Source {
    event: Option<Arc<Event>>,
    /// Which forms somebody waits for.
    wanted: [bool; Format::ALL.len()],
    /// Nobody else will want one.
    complete: bool,
}

impl SharedEvent {
    pub(super) fn new(event: Arc<Event>) -> Self {
        let headers: usize =
            event.headers().map(|(name, value)| name.len() + value.as_str().len() + 16).sum();
        let size = headers + event.body().map_or(0, Bytes::len) + 256;
        let source = Source { event: Some(event), wanted: Default::default(), complete: false };
        Self { size, source: Mutex::new(source), frames: Default::default() }
    }

    /// Somebody will ask for this form.
    pub(super) fn want(&self, format: Format) {
        self.source.lock().wanted[format as usize] = true;
    }

    /// Everybody who will ask has been noted.
    pub(super) fn complete(&self) {
        self.source.lock().complete = true;
        self.forget();
    }

    /// The event in a form that was wanted.
    pub(super) fn frame(&self, format: Format) -> Bytes {
        if let Some(frame) = self.frames[format as usize].get() {
            return frame.clone();
        }
        let event = self.source.lock().event.clone();
        // When the event is gone, all frames are there.
        let make = || event.map_or_else(Bytes::new, |event| frame::event(&event, format));
        let frame = self.frames[format as usize].get_or_init(make).clone();
        self.forget();
        frame
    }

    /// Lets go of the event when no frame is to be made of it.
    fn forget(&self) {
        let mut source = self.source.lock();
        let written =
            source.wanted.iter().zip(&self.frames).all(|(wanted, frame)| !wanted || frame.get().is_some());
        if source.complete && written {
            source.event = None;
        }
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

#[cfg(test)]
mod tests {
    use chappe_event::EventName;

    use super::*;

    #[test]
    fn an_event_is_held_until_all_its_forms_are_written() {
        let event = Arc::new(Event::new(EventName::Message));
        let shared = SharedEvent::new(event.clone());
        let is_held = || Arc::strong_count(&event) > 1;
        shared.want(Format::Plain);
        let plain = shared.frame(Format::Plain);
        assert!(is_held(), "somebody may still want another form");
        shared.want(Format::Json);
        shared.complete();
        assert!(is_held(), "JSON is not written yet");
        let json = shared.frame(Format::Json);
        assert!(!is_held());
        assert_eq!((shared.frame(Format::Plain), shared.frame(Format::Json)), (plain, json.clone()));
        assert!(json.ends_with(b"}"));
    }

    #[test]
    fn one_form_for_all_is_enough() {
        let event = Arc::new(Event::new(EventName::Message));
        let shared = SharedEvent::new(event.clone());
        shared.want(Format::Plain);
        shared.complete();
        shared.frame(Format::Plain);
        assert_eq!(Arc::strong_count(&event), 1);
    }
}
