use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_sip_msg::Uri;

use crate::Peer;

/// One way to reach a user. A refresh shares with what it replaces the texts that are the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// The contact's URI, as the client wrote it.
    pub contact: Arc<str>,
    /// Preference in thousandths, 0 to 1000; 1000 where the client named none.
    pub q: u16,
    /// When it runs out.
    pub expires_at: Instant,
    /// When this contact was first registered without a break.
    pub since: Instant,
    /// Call-ID of the REGISTER that made or refreshed it.
    pub call_id: Arc<str>,
    /// CSeq number of that REGISTER.
    pub cseq: u32,
    /// Path URIs, the one nearest to us first, RFC 3327: they become the Route of a request to the contact.
    pub path: Box<[Box<str>]>,
    /// Where that REGISTER came from: behind a NAT the only way to the client.
    pub received: Peer,
    /// User-Agent of that REGISTER; empty without one.
    pub user_agent: Arc<str>,
    /// Higher the later it was made or refreshed. Given out by [`Bindings`](super::Bindings), whatever it says before.
    pub serial: u64,
}

impl Binding {
    /// Whether it still counts.
    pub fn is_live(&self, now: Instant) -> bool {
        self.expires_at > now
    }

    /// The time it has left.
    pub fn remaining(&self, now: Instant) -> Duration {
        self.expires_at.saturating_duration_since(now)
    }

    /// Whether it is the one for `contact`, by the rules of RFC 3261 §19.1.4.
    pub fn is_for(&self, contact: &str) -> bool {
        &*self.contact == contact || same_uri(&self.contact, contact)
    }
}

fn same_uri(one: &str, other: &str) -> bool {
    match (Uri::parse(one.as_bytes()), Uri::parse(other.as_bytes())) {
        (Ok(one), Ok(other)) => one.equivalent(&other),
        _ => false,
    }
}
