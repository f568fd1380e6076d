//! What a client wants to hear: kinds of events, filters on their headers, and the form they come in.

use std::collections::BTreeSet;
use std::sync::Arc;

use chappe_event::{Event, EventName, header};

use crate::filter::Filter;

/// In a BACKGROUND_JOB event: the `Unique-ID` of the message whose connection asked for the job.
pub const JOB_OWNER: &str = "Job-Owner-UUID";

/// How events are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    #[default]
    Plain,
    Json,
    Xml,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Plain, Self::Json, Self::Xml];

    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Json => "json",
            Self::Xml => "xml",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name().eq_ignore_ascii_case(text))
    }
}

/// One connection's wishes.
#[derive(Clone, Debug, Default)]
pub struct Subscription {
    pub format: Format,
    /// `event` or `nixevent` was given since the last `noevents`.
    listening: bool,
    all: bool,
    /// One bit for each [`EventName`].
    names: u128,
    /// Which subclasses of CUSTOM.
    subclasses: Subclasses,
    pub filters: Vec<Filter>,
    /// `myevents`: of the kinds wanted only the events with this `Unique-ID`, or of jobs of the one it names.
    pub only: Option<Arc<str>>,
    /// `divert_events on`: events with this `Unique-ID`, too, whatever their kind and the filters.
    pub diverted: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
enum Subclasses {
    Only(BTreeSet<String>),
    AllBut(BTreeSet<String>),
}

impl Default for Subclasses {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl Subclasses {
    fn add(&mut self, name: &str) {
        match self {
            Self::Only(names) => _ = names.insert(name.to_owned()),
            Self::AllBut(names) => _ = names.remove(name),
        }
    }

    fn remove(&mut self, name: &str) {
        match self {
            Self::Only(names) => _ = names.remove(name),
            Self::AllBut(names) => _ = names.insert(name.to_owned()),
        }
    }

    fn contains(&self, name: &str) -> bool {
        match self {
            Self::Only(names) => names.contains(name),
            Self::AllBut(names) => !names.contains(name),
        }
    }
}

impl Subscription {
    /// Whether events are sent at all.
    pub fn is_listening(&self) -> bool {
        self.listening
    }

    pub fn listen(&mut self) {
        self.listening = true;
    }

    /// Forgets every kind of event; the format, the filters and whose events are meant stay.
    pub fn clear(&mut self) {
        let before = std::mem::take(self);
        let Self { format, filters, only, diverted, .. } = before;
        *self = Self { format, filters, only, diverted, ..Self::default() };
    }

    pub fn add(&mut self, name: EventName) {
        if name == EventName::All {
            self.all = true;
            self.names = u128::MAX;
            self.subclasses = Subclasses::AllBut(BTreeSet::new());
        }
        self.names |= bit(name);
    }

    /// Removing one kind from all leaves the others.
    pub fn remove(&mut self, name: EventName) {
        match name {
            // FreeSWITCH mod_event_socket.c parse_command: `nixevent CUSTOM` is about subclasses alone.
            EventName::Custom => {}
            EventName::All => {
                self.all = false;
                self.names = 0;
            }
            name => {
                self.all = false;
                self.names &= !bit(name);
            }
        }
    }

    pub fn add_subclass(&mut self, name: &str) {
        self.subclasses.add(name);
    }

    pub fn remove_subclass(&mut self, name: &str) {
        self.subclasses.remove(name);
    }

    /// Whether events of that kind are wanted, filters aside.
    pub fn wants(&self, name: EventName, subclass: Option<&str>) -> bool {
        self.listening && (self.diverted.is_some() || self.names_kind(name, subclass))
    }

    fn names_kind(&self, name: EventName, subclass: Option<&str>) -> bool {
        self.all
            || self.names & bit(name) != 0
                && (name != EventName::Custom
                    || subclass.is_none_or(|subclass| self.subclasses.contains(subclass)))
    }

    /// Whether this event is to be sent.
    pub fn passes(&self, event: &Event) -> bool {
        self.wants(event.name(), event.subclass())
            && (self.is_diverted(event)
                || self.names_kind(event.name(), event.subclass())
                    && Filter::pass(&self.filters, event)
                    && self.only.as_deref().is_none_or(|id| belongs(event, id)))
    }

    fn is_diverted(&self, event: &Event) -> bool {
        self.diverted.as_deref().is_some_and(|id| event.get(header::UNIQUE_ID) == Some(id))
    }
}

/// FreeSWITCH mod_event_socket.c event_handler.
fn belongs(event: &Event, id: &str) -> bool {
    event.get(header::UNIQUE_ID) == Some(id) || event.get(JOB_OWNER) == Some(id)
}

const _: () = assert!(EventName::LIST.len() <= 128, "each kind of event has a bit");

fn bit(name: EventName) -> u128 {
    1 << (name as u32)
}
