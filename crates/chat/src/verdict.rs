//! What a message's sender is told.

use std::borrow::Cow;

use crate::{BoxFuture, Delivery};

/// What routing a message came to.
pub enum Routed {
    Done(Verdict),
    /// The sender is answered now; the rest of the work is to be gone on with.
    TakenOver(Verdict, BoxFuture),
}

/// The final answer to a message's sender, in SIP's numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    pub code: u16,
    pub reason: Cow<'static, str>,
    /// Seconds after which the sender may try again.
    pub retry_after: Option<u32>,
}

impl Verdict {
    /// RFC 3428 §7: a recipient got it, or the plan dealt with it.
    pub const OK: Self = Self::of(200, "OK");
    /// RFC 3428 §7: taken over, the outcome not known yet.
    pub const ACCEPTED: Self = Self::of(202, "Accepted");
    pub const TOO_MANY_HOPS: Self = Self::of(483, "Too Many Hops");
    pub const SERVER_ERROR: Self = Self::of(500, "Server Internal Error");
    pub const UNKNOWN_APP: Self = Self::of(500, "Unknown Chat Application");
    pub const UNKNOWN_INTERFACE: Self = Self::of(501, "Unknown Chat Interface");

    const fn of(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason), retry_after: None }
    }

    /// What a delivery's outcome means for the sender: the one place that decides it.
    ///
    /// RFC 3428 §7: 200 once a device has answered 2xx, its refusal as it is, 202 where the outcome is not known.
    pub fn of_delivery(delivery: &Delivery) -> Self {
        match delivery {
            Delivery::Delivered { .. } => Self::OK,
            Delivery::Accepted | Delivery::Stored => Self::ACCEPTED,
            Delivery::NobodyRegistered => Self::of(480, "Nobody Registered"),
            // RFC 4320 §4.2: not 408.
            Delivery::NoAnswer => Self::of(480, "No Answer"),
            Delivery::QueueFull => Self::of(480, "Too Many Messages Wait"),
            Delivery::Refused { code, reason, .. } => {
                Self { code: *code, reason: reason.clone().into(), retry_after: None }
            }
            // RFC 3261 §21.5.4.
            Delivery::Overloaded { retry_after_secs } => Self {
                code: 503,
                reason: Cow::Borrowed("Service Unavailable"),
                retry_after: Some(*retry_after_secs),
            },
            Delivery::Failed(_) => Self::SERVER_ERROR,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_delivery_has_its_answer() {
        let cases = [
            (Delivery::Delivered { code: 200, device: None }, 200, None),
            (Delivery::Accepted, 202, None),
            (Delivery::Stored, 202, None),
            (Delivery::NobodyRegistered, 480, None),
            (Delivery::NoAnswer, 480, None),
            (Delivery::QueueFull, 480, None),
            (Delivery::Refused { code: 486, reason: "Busy Here".into(), device: None }, 486, None),
            (Delivery::Overloaded { retry_after_secs: 7 }, 503, Some(7)),
            (Delivery::Failed("no such profile".into()), 500, None),
        ];
        for (delivery, code, retry_after) in cases {
            let verdict = Verdict::of_delivery(&delivery);
            assert_eq!((verdict.code, verdict.retry_after), (code, retry_after), "{delivery:?}");
        }
    }
}
