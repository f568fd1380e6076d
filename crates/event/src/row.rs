//! Kinds of events, as the reference page describes them.

use crate::EventName;

/// One kind of event that a crate fires, or heeds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventRow {
    pub name: EventName,
    /// Of a CUSTOM event.
    pub subclass: Option<&'static str>,
    /// When it is fired; for one that is heeded what it brings about.
    pub when: &'static str,
    /// The headers that every such event has beside those that all events have; of one that is heeded, those it needs.
    pub headers: &'static [&'static str],
    /// Whoever fires it asks for something.
    pub heeded: bool,
}

impl EventRow {
    /// An event that the server fires.
    pub const fn fired(name: EventName, when: &'static str, headers: &'static [&'static str]) -> Self {
        Self { name, subclass: None, when, headers, heeded: false }
    }

    /// A CUSTOM event that the server fires.
    pub const fn custom(
        subclass: &'static str,
        when: &'static str,
        headers: &'static [&'static str],
    ) -> Self {
        Self { name: EventName::Custom, subclass: Some(subclass), when, headers, heeded: false }
    }

    /// A CUSTOM event that the server heeds.
    pub const fn heeded(
        subclass: &'static str,
        what: &'static str,
        headers: &'static [&'static str],
    ) -> Self {
        Self { name: EventName::Custom, subclass: Some(subclass), when: what, headers, heeded: true }
    }
}
