//! What a chat interface is: a named way out for messages.

use std::future::Future;
use std::pin::Pin;

use chappe_event::Event;

/// A way out for messages, named in their `dest_proto`: `sip`, for instance.
pub trait ChatInterface: Send + Sync {
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
}

/// A sending, finished or still going.
pub enum Sent<'a> {
    Now(Delivery),
    Later(Pin<Box<dyn Future<Output = Delivery> + Send + 'a>>),
}

/// What became of a message that a chat interface was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// A device answered `code`, a 2xx.
    Delivered { code: u16, device: Option<String> },
    /// Handed over; how it ends is not waited for.
    Accepted,
    /// The user has no device at the moment.
    NobodyRegistered,
    /// A device answered `code`, 300 or more.
    Refused { code: u16, reason: String, device: Option<String> },
    /// No device answered in time.
    NoAnswer,
    /// Too much is under way; the sender may try again after so many seconds.
    Overloaded { retry_after_secs: u32 },
    /// It can't be sent at all; the text says why, as a fragment that fits after "failed to send: ".
    Failed(String),
}

impl Delivery {
    /// Whether FreeSWITCH would call it sent.
    pub fn succeeded(&self) -> bool {
        matches!(self, Self::Delivered { .. } | Self::Accepted)
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
