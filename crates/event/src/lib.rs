//! The event: ordered headers and a body, and what is done with them everywhere.
//!
//! In go headers, bodies and texts with `${...}` in them; out come events in order, their plain, JSON and XML
//! forms, and expanded texts. The [`Bus`] takes events from those who fire them to those who listen, the
//! [`LogBus`] does so with log lines, [`Globals`] holds the global variables. All of it behaves as FreeSWITCH's
//! `switch_event.c` and `switch_log.c` do; where it doesn't, a line says `Deviation`.
//!
//! Invariant: nothing here knows SIP, a chatplan or a connection. Nothing here does I/O, reads a clock or waits.

#![forbid(unsafe_code)]

mod bus;
mod calling;
mod clock;
mod dates;
mod event;
mod expand;
pub mod form;
mod globals;
pub mod header;
mod headers;
mod identity;
mod log;
mod name;
mod number;
mod row;
mod url;

pub use bus::{Bus, Hook, HookId, Subscriber, SubscriberId};
pub use calling::Calling;
pub use clock::{Clock, ManualClock};
pub use event::Event;
pub use expand::{Expand, ExpandRules, Expansion, expand_with, has_expansion};
pub use globals::Globals;
pub use headers::{Array, Name, Value};
pub use identity::Identity;
pub use log::{LogBus, LogLevel, LogLine, LogSink, LogSinkId};
pub use name::EventName;
pub use number::{is_false, is_number, is_true, leading_number};
pub use row::EventRow;
pub use url::{url_decode, url_encode, url_encode_into};
