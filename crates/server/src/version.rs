//! Which version this is.

/// `0.1.0`.
pub const SHORT: &str = env!("CARGO_PKG_VERSION");

/// `0.1.0-chappe`: what FreeSWITCH's users see where its version would stand.
pub const FULL: &str = concat!(env!("CARGO_PKG_VERSION"), "-chappe");
