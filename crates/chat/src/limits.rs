//! What one message, and all of them together, may cost.

/// Runs of apps that send something (`reply`, `send`, `fire`, ...) for one message.
pub(crate) const MAX_SENT: usize = 100;

/// Deliveries that go on while nobody waits for them; past this a reply is refused as overload.
pub(crate) const MAX_DETACHED: usize = 16_384;

/// FreeSWITCH mod_sms.c `chat_send`: the hops a message starts with, as in RFC 3261 §8.1.1.6.
pub(crate) const MAX_FORWARDS: i64 = 70;
