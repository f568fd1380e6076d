//! Digest authentication, RFC 7616 as SIP uses it, RFC 3261 §22; RFC 2617 for what is older.
//!
//! The server's side: [`Nonces::issue`] and a [`Challenge`] go out; [`Credentials`] come back, [`Nonces::read`] says
//! whether the nonce is ours, [`verify`] whether the password is right, and [`NonceCounts::spend`] then uses up the nonce
//! count, so that the same credentials don't serve twice. The client's side: [`strongest`] of the challenges, and
//! [`answer`].

mod algorithm;
mod answer;
mod challenge;
mod credentials;
mod nonce;
mod verify;

pub use algorithm::Algorithm;
pub use answer::{Protected, answer, strongest};
pub use challenge::{Challenge, Qop};
pub use credentials::{Credentials, DigestError};
pub use nonce::{Freshness, Nonce, NonceCounts, Nonces};
pub use verify::{Secret, a1_hash, verify};
