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

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn best(deliveries: &[Delivery]) -> Option<Delivery> {
        let sent = deliveries.iter().cloned().map(|one| -> Sending { Box::pin(std::future::ready(one)) });
        let mut best = best_of(sent.collect())?;
        match best.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(delivery) => Some(delivery),
            Poll::Pending => panic!("all of them were over"),
        }
    }

    #[test]
    fn the_sender_is_told_the_best() {
        let busy = || Delivery::Refused { code: 486, reason: "Busy Here".into(), device: None };
        let taken = || Delivery::Delivered { code: 200, device: None };
        assert_eq!(best(&[]), None);
        assert_eq!(best(&[busy()]), Some(busy()));
        assert_eq!(best(&[busy(), taken(), Delivery::NoAnswer]), Some(taken()));
        assert_eq!(best(&[busy(), Delivery::NoAnswer]), Some(Delivery::NoAnswer));
    }
}
