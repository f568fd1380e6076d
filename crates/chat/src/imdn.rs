//! Instant message disposition notifications, RFC 5438, in CPIM, RFC 3862: what the sender of a message wants to be told
//! of its fate, and the message that tells it.
//!
//! In goes a message, as an [`Event`](chappe_event::Event); out come what its sender [`wanted`], and the
//! [`notification`] to send back through the router. Time and ids are handed in.
//!
//! What a store and forward server may say, and this one says ([`Notice::is_due`]):
//!
//! | what happened | answered to the sender | asked for | notification | RFC 5438 |
//! |---|---|---|---|---|
//! | the message is in the store | 202 | `processing` | processing, `stored` | §8.1 |
//! | a device took it at once | 200 | `processing` | processing, `processed` | §8.1, §12.2 |
//! | a device refused it for good, or it expired | 202 | `negative-delivery` | delivery, `failed` | §8.2, §12.2 |
//! | it is refused at once | 4xx, 5xx, 6xx | | none: the answer says it | §12.1.3.1, §12.2 |
//! | a device took it | 200 or 202 | `positive-delivery` | none: the device's business | §12.2 |
//!
//! RFC 5438 §12.2: a server "MUST NOT generate a delivery notification if it receives a SIP 2xx class response". So
//! `delivered` comes from the recipient's device, through the router like any other message, octet by octet.
//! Nothing that a device says of itself in SIP tells whether it does so.
//! Deviation: [`Positive::Server`], for operators whose devices are known not to: `delivered` then means that a device
//! answered 2xx.
//!
//! RFC 5438 §8.1, §8.2: of each [`Disposition`] a message has one notification at most, `stored` and then `failed` for
//! instance, never `stored` and then `processed`. Who sends them has to keep to that.
//!
//! RFC 5438 §7.2.1: no notification is about a notification ([`is_notification`]), and none asks for one.
//!
//! Deviation: RFC 5438 §7.2.1 has a notification go to the topmost IMDN-Record-Route of the message. Here it goes to the
//! sender in SIP, as §12.1.3.1 has it, who has proved who he is: a message must not make the server write to addresses
//! that stand in its body.
//!
//! Invariant: no octet of a message makes any of this panic, ends a line or an element of what is written, or makes it
//! longer than a few kilobytes.

mod cpim;
mod disposition;
mod notification;
mod rules;

pub use cpim::{Cpim, Field, Writer};
pub use disposition::{Wanted, is_cpim, is_notification, wanted};
pub use notification::notification;
pub use rules::{Disposition, Notice, Positive};
