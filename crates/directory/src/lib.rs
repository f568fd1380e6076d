//! Domains, groups and users.
//!
//! In: the `directory` section of the configuration. Out: a [`Directory`] in which a user is found by domain and id, or
//! number-alias, without allocation, with the params and variables of the domain and the group merged in.
//!
//! Invariant: nothing here prints a password: [`Secret`] shows what kind it is and no more.

#![forbid(unsafe_code)]

mod compile;
mod directory;
mod index;
mod secret;

pub use directory::{Directory, Domain, Group, Setting, User};
pub use secret::Secret;
