//! Several deliveries as one.

use crate::{Delivery, Sending, Verdict};

/// The deliveries as one, the best of them; `None` when there are none. They go on when it is waited for.
pub fn best_of(sent: Vec<Sending>) -> Option<Sending> {
    if sent.len() < 2 {
        return sent.into_iter().next();
    }
    Some(Box::pin(async move {
        let mut best: Option<Delivery> = None;
        for sending in sent {
            let delivery = sending.await;
            let better =
                |known: &Delivery| Verdict::of_delivery(&delivery).code < Verdict::of_delivery(known).code;
            if best.as_ref().is_none_or(better) {
                best = Some(delivery);
            }
        }
        best.unwrap_or(Delivery::Accepted)
    }))
}
