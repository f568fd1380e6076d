//! What a chat interface is: a named way out for messages.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use chappe_event::Event;

/// A way out for messages, named in their `dest_proto`: `sip`, for instance.
pub trait ChatInterface: Send + Sync + 'static {
    /// The name that `dest_proto` says; looked up without regard to case.
    fn name(&self) -> &str;

    /// The FreeSWITCH module that brings it.
    fn module(&self) -> &str {
        ""
    }

    /// Sends `message` to whom its `to` names. Must not block. With [`Settings::accept_after`](crate::Settings) the
    /// interface says [`Delivery::NoAnswer`] once that time has passed without a final answer. A message whose
    /// `blocking` is true waits for the answer even where [`Quirks::accept_always`](crate::Quirks) is on.
    fn send<'a>(&'a self, message: &'a mut Event) -> Sent<'a>;

    /// Sends a message that was kept, to all devices of its recipient but those in `without`, and waits until one of them
    /// has it or none of them will. No device left is [`Delivery::NobodyRegistered`].
    fn send_again(self: Arc<Self>, mut message: Event, _without: Vec<Box<str>>) -> Again {
        let end = async move {
            match self.send(&mut message) {
                Sent::Now(delivery) => delivery.into(),
                Sent::Later(later) => later.await,
            }
        };
        Again { devices: Vec::new(), end: Box::pin(end) }
    }

    /// In whose queue the message waits when it can't be delivered: as [`Queue::came`](crate::Queue::came) will name its
    /// recipient. `None`: nobody tells when the recipient can be reached.
    fn recipient(&self, _message: &Event) -> Option<String> {
        None
    }

    /// Whether it is worth trying to send something to this recipient.
    fn may_reach(&self, _recipient: &str) -> bool {
        true
    }
}

/// A sending, finished or still going.
pub enum Sent<'a> {
    Now(Delivery),
    Later(Pin<Box<dyn Future<Output = Tried> + Send + 'a>>),
}

/// Another sending of a message that was kept.
pub struct Again {
    /// The devices it is under way to.
    pub devices: Vec<Box<str>>,
    pub end: Pin<Box<dyn Future<Output = Tried> + Send>>,
}

/// What became of a message that a chat interface was given, device by device.
pub struct Tried {
    /// The outcome for the sender.
    pub delivery: Delivery,
    /// The copies that have ended. A lone copy that a device took need not be told of.
    pub copies: Vec<CopyEnd>,
    /// The copies that have not.
    pub rest: Option<Rest>,
}

/// The copies that were still under way when the sender was told.
pub struct Rest {
    pub devices: Vec<Box<str>>,
    /// Resolves when the last of them has ended. It goes on when it is dropped.
    pub end: Pin<Box<dyn Future<Output = Vec<CopyEnd>> + Send>>,
}

/// How one copy ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopyEnd {
    /// The device's contact.
    pub device: Box<str>,
    /// The SIP status it answered; 0: none.
    pub code: u16,
    pub reason: Box<str>,
}

impl From<Delivery> for Tried {
    fn from(delivery: Delivery) -> Self {
        Self { delivery, copies: Vec::new(), rest: None }
    }
}

/// What became of a message that a chat interface was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// A device answered `code`, a 2xx.
    Delivered { code: u16, device: Option<String> },
    /// Handed over; how it ends is not waited for.
    Accepted,
    /// It is in the store, on the disk, and will be delivered later.
    Stored,
    /// The user has no device at the moment.
    NobodyRegistered,
    /// A device answered `code`, 300 or more.
    Refused { code: u16, reason: String, device: Option<String> },
    /// No device answered in time.
    NoAnswer,
    /// Too much waits for the recipient already.
    QueueFull,
    /// Too much is under way; the sender may try again after so many seconds.
    Overloaded { retry_after_secs: u32 },
    /// It can't be sent at all; the text says why, as a fragment that fits after "failed to send: ".
    Failed(String),
}

impl Delivery {
    /// Whether FreeSWITCH would call it sent.
    pub fn succeeded(&self) -> bool {
        matches!(self, Self::Delivered { .. } | Self::Accepted | Self::Stored)
    }

    /// The SIP status that a device answered; 0 when it did not answer, nothing when none was asked.
    pub fn result_code(&self) -> Option<u16> {
        match self {
            Self::Delivered { code, .. } | Self::Refused { code, .. } => Some(*code),
            Self::NoAnswer => Some(0),
            _ => None,
        }
    }

    /// The device that answered.
    pub fn device(&self) -> Option<&str> {
        match self {
            Self::Delivered { device, .. } | Self::Refused { device, .. } => device.as_deref(),
            _ => None,
        }
    }
}

/// What `show chat` knows of a chat interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InterfaceRow {
    pub name: String,
    pub module: String,
}
