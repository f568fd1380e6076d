//! Values that every message reads and a reload replaces: settings, the view of the directory, lists of apps.
//!
//! A [`Current`] is read without waiting for anybody. What is new here is the [`turn`]: a thread that deals with many messages
//! at a time remembers meanwhile what it has read. Elsewhere a read takes two locked instructions, and each of these waits for
//! whatever the thread has written to memory that is in no cache; a message reads some twenty values.

#![forbid(unsafe_code)]

mod current;
mod turn;

pub use current::{Current, Loaded};
pub use turn::{Turn, turn};
