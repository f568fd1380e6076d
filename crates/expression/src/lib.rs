//! FreeSWITCH's regular expressions, for whoever meets one: a chatplan's condition, the API command `regex`, a filter of
//! the event socket.
//!
//! In goes an expression as FreeSWITCH's users write it, out comes an [`Expression`] that says whether and where a text
//! matches; [`substitute`] puts what it captured into `$1` and `${1}`. They are PCRE's, run by PCRE2.
//!
//! Invariant: no expression and no text can hold a thread, whoever wrote them; and nothing here knows what an expression
//! is for.
#![forbid(unsafe_code)]

mod cache;
mod captures;
mod expression;
mod needs;
mod plain;
mod substitution;

pub use cache::{MAX_CACHED, Shared};
pub use captures::Captures;
pub use expression::{Expression, ExpressionError, TooCostly};
pub use needs::{Need, Place, needs};
pub use substitution::substitute;
