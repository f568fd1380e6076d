use std::fmt;
use std::sync::Arc;

use chappe_event::Event;

use crate::Micros;

/// The name a message has from its arrival to its last report: 32 hexadecimal digits when we made it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct MessageId(Arc<str>);

impl MessageId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for MessageId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a message stands. Only [`State::Accepted`] and [`State::Waiting`] can change into another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum State {
    /// Taken over while the chatplan is at work on it. After a restart it goes through the chatplan from the start.
    Accepted,
    /// To be delivered.
    Waiting,
    /// A device has it.
    Delivered,
    /// Refused for good.
    Refused,
    /// It ran out before it could be delivered.
    Expired,
    /// An operator took it back.
    Cancelled,
    /// The chatplan has dealt with it, so that there was nothing to deliver.
    Done,
}

impl State {
    pub const ALL: [Self; 7] = [
        Self::Accepted,
        Self::Waiting,
        Self::Delivered,
        Self::Refused,
        Self::Expired,
        Self::Cancelled,
        Self::Done,
    ];

    /// Whether nothing more happens to it.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Accepted | Self::Waiting)
    }

    /// As operators read and write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Done => "done",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str().eq_ignore_ascii_case(text))
    }
}

/// A message to be kept.
#[derive(Clone, Debug)]
pub struct Kept {
    pub id: MessageId,
    /// The same for a request and its repetitions, different for all others; `None`: it can't be repeated.
    pub origin: Option<u128>,
    /// Whose queue it is in: `user@domain` as the registrar has it.
    pub recipient: Arc<str>,
    pub sender: Box<str>,
    /// [`State::Accepted`] or [`State::Waiting`].
    pub state: State,
    pub accepted: Micros,
    /// Not to be delivered before; 0: at once.
    pub not_before: Micros,
    pub expires: Micros,
    /// What has been tried so far.
    pub attempts: Vec<Attempt>,
    pub message: Event,
}

/// One try to hand the message to one device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    pub at: Micros,
    /// The device's contact; empty when there was none.
    pub device: Box<str>,
    /// The SIP status it answered; 0 when it did not.
    pub code: u16,
    pub reason: Box<str>,
}

/// What became of putting a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Put {
    /// It is on the disk.
    Stored,
    /// A message of this origin is there already, and this is how it stands.
    Known(MessageId, State),
}

/// What happens to a message that is not final. A change of one that is, or that is not there, changes nothing.
#[derive(Clone, Debug)]
pub enum Change {
    /// It was tried, and waits on.
    Tried(Vec<Attempt>),
    /// The chatplan is through with it: an accepted message waits from here on, as this one.
    Planned { recipient: Arc<str>, not_before: Micros, message: Event, attempts: Vec<Attempt> },
    /// Nothing more happens to it: the message's headers and body are let go, its story stays until it is purged.
    Ended { at: Micros, state: State, attempts: Vec<Attempt> },
}

/// A message's story, without its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Its place: messages that were put earlier have lower numbers.
    pub place: i64,
    pub id: MessageId,
    pub recipient: Arc<str>,
    pub sender: Box<str>,
    pub state: State,
    pub accepted: Micros,
    pub not_before: Micros,
    pub expires: Micros,
    /// When it became final; 0 before.
    pub ended: Micros,
    /// The last [`Record::MAX_ATTEMPTS`], in their order.
    pub attempts: Vec<Attempt>,
    /// All of them, also those that are not kept any more.
    pub tries: u32,
}

/// A message that is kept.
#[derive(Clone, Debug)]
pub struct Record {
    pub summary: Summary,
    /// `None` once it is final.
    pub message: Option<Event>,
}

impl Record {
    /// Attempts kept of one message; of more, the earliest go.
    pub const MAX_ATTEMPTS: usize = 50;
}
