//! The bindings of addresses-of-record, RFC 3261 §10.3.
//!
//! [`Register::read`] takes a REGISTER apart, [`Bindings::apply`] does all of it or nothing, [`Bindings::lookup`] says
//! where a user is, [`Bindings::expire`] hands out what ran out, [`Bindings::restore`] puts back what an earlier run knew.

mod agents;
mod aor;
mod aor_hash;
mod binding;
mod bindings;
mod expiry;
mod policy;
mod register;
mod restore;
mod stamp;
mod update;

pub use aor::Aor;
pub use aor_hash::{AorHash, AorKey};
pub use binding::{Binding, BindingParts};
pub use bindings::{Bindings, Found};
pub use policy::{Multiple, Policy};
pub use register::{Contacts, Register, RegisterError, Wanted};
pub use update::Applied;
