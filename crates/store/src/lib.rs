//! Messages and bindings that must survive: the trait [`Store`], and its two kinds, SQLite and memory.
//!
//! In go messages that could not be delivered at once ([`Kept`]), what became of them ([`Change`]) and where users can be
//! reached ([`KeptBinding`]); out come the messages of a recipient in their order, the story of one message, counts.
//! When the future of a change says `Ok`, the change is on the disk, synced: the promise that a 2xx makes to a sender
//! rests on this alone.
//!
//! SQLite has a thread that writes, with one sync for all that waits, and one that reads ([`SqliteStore`] tells what is
//! bounded, and what happens beyond). Each row has a checksum: one that is damaged is refused, and costs no other.
//!
//! Invariant: a store never decides. It knows neither SIP nor retry schedules, reads no clock (each time is handed in, in
//! microseconds since 1970), and blocks nobody who calls it: the work is done on threads of its own.

#![forbid(unsafe_code)]

mod binding;
mod error;
mod memory;
mod message;
mod sqlite;
mod store;

pub use binding::KeptBinding;
pub use error::StoreError;
pub use memory::MemoryStore;
pub use message::{Attempt, Change, Kept, MessageId, Put, Record, State, Summary};
pub use sqlite::{SqliteOptions, SqliteStore};
pub use store::{Counts, Done, Filter, Line, Pieces, Store};

/// Microseconds since 1970-01-01 00:00:00 UTC.
pub type Micros = i64;
