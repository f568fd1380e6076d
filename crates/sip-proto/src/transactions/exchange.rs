//! What goes in and what comes out.

use std::borrow::Cow;

use bytes::Bytes;
use smallvec::SmallVec;

use super::slab::Slot;
use crate::Peer;

/// A server transaction: a request that came in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ServerId(pub(super) Slot);

/// A client transaction: a request that went out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientId(pub(super) Slot);

/// What a received message turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// A new request: the user owes it one [`respond`](crate::Transactions::respond).
    Request(ServerId),
    /// A retransmission, the ACK of an INVITE's final answer, or an answer to a request of ours that has ended. What there was
    /// to answer is queued already.
    Absorbed,
    /// A request that reached us before by another way, RFC 3261 §8.2.2.2; 482 is queued already.
    Merged,
    /// An answer to a request of ours. A `code` below 200 may come any number of times, a final one comes once.
    Response {
        /// The request it answers; unknown from here on if the answer is final.
        client: ClientId,
        /// Its status code.
        code: u16,
    },
    /// A response or an ACK that belongs to nothing, or that can't be read well enough to tell.
    Stray,
    /// A response to a request of this other shard.
    OtherShard(u16),
    /// A request beyond [`Limits::servers`](crate::Limits::servers); this status is queued already.
    Refused(u16),
}

/// An answer to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// 100 to 699.
    pub code: u16,
    /// The phrase after the code.
    pub reason: Cow<'static, str>,
    /// Headers besides those that every response copies from its request.
    pub headers: SmallVec<[(Cow<'static, str>, String); 2]>,
    /// Content-Type and body.
    pub body: Option<(String, Bytes)>,
}

impl Response {
    /// The status with its usual phrase, without headers of its own: the cheapest to keep.
    pub fn new(code: u16) -> Self {
        Self {
            code,
            reason: Cow::Borrowed(chappe_sip_msg::reason(code)),
            headers: SmallVec::new(),
            body: None,
        }
    }

    /// With another phrase. Line ends in it are dropped.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = reason.into();
        self
    }

    /// With one more header. Line ends in its value are dropped.
    #[must_use]
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, content_type: impl Into<String>, body: impl Into<Bytes>) -> Self {
        self.body = Some((content_type.into(), body.into()));
        self
    }

    /// Whether the request and the code alone suffice to make it again.
    pub(super) fn is_plain(&self) -> bool {
        self.headers.is_empty() && self.body.is_none() && self.reason == chappe_sip_msg::reason(self.code)
    }
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// Send these bytes.
    Transmit {
        /// To whom, and by which connection if one is named.
        peer: Peer,
        /// One whole message.
        bytes: Bytes,
    },
    /// A request of ours ended without a final answer.
    ClientEnded {
        /// Which one; unknown from here on.
        client: ClientId,
        /// Why.
        why: ClientEnd,
    },
}

/// Why a request of ours ended without a final answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ClientEnd {
    /// Timer F: nobody answered in time.
    TimedOut,
    /// The transport said that the peer can't be reached.
    TransportError,
    /// [`Limits::clients`](crate::Limits::clients) was reached; nothing was sent.
    TooMany,
}
