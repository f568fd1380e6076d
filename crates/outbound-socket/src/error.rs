//! Why a program could not handle a message.

use std::io;
use std::time::Duration;

use chappe_chat::Delivery;
use chappe_event_socket::command::ParseError;

/// After so many seconds a sender may try again.
const RETRY_AFTER_SECS: u32 = 5;

/// Why a message was not handled.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("no host is named; usage: socket {}", crate::app::SYNTAX)]
    NoHost,
    #[error("`{0}` is no port")]
    Port(String),
    #[error("{0} connections are open (outbound-max-connections)")]
    Busy(usize),
    #[error("connect to {place}: {source}")]
    Connect { place: String, source: io::Error },
    #[error("it said nothing and closed the connection")]
    Silent,
    #[error("it sent what is no command: {0}")]
    Unreadable(#[from] ParseError),
    #[error("it did not end within {} s (outbound-timeout)", .0.as_secs_f32())]
    TooLate(Duration),
    #[error("the server ends")]
    Stopping,
    #[error("the connection's task is gone")]
    Lost,
}

impl SocketError {
    /// What the sender is told.
    pub(crate) fn delivery(&self) -> Delivery {
        match self {
            // Trying again helps where the program is away, slow or busy.
            Self::Busy(_) | Self::Connect { .. } | Self::Silent | Self::TooLate(_) | Self::Stopping => {
                Delivery::Overloaded { retry_after_secs: RETRY_AFTER_SECS }
            }
            Self::NoHost | Self::Port(_) | Self::Unreadable(_) | Self::Lost => {
                Delivery::Failed(format!("socket: {self}"))
            }
        }
    }
}
