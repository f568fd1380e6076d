//! Messages that were taken over while the chatplan was at work on them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chappe_event::{Event, header};
use chappe_store::{Change, MessageId, State};

use super::Queue;
use crate::flow::{self, Ended};
use crate::{Delivery, Router, Verdict, receipts, report};

impl Queue {
    /// Writes the message down as one that is to go through the chatplan. `true`: it is on the disk.
    pub(crate) async fn take_over(self: &Arc<Self>, message: &Event) -> bool {
        let (Some(store), Some(router)) = (self.store(), self.router.upgrade()) else { return false };
        let destination = self.destination(message, None);
        let expires = super::times::expires(message, self.now(), 0, &self.settings());
        let mut kept = self.kept(message, &destination, expires, Vec::new());
        kept.state = State::Accepted;
        kept.not_before = 0;
        let id = kept.id.clone();
        match store.put(kept).await {
            Ok(_) => {
                self.begin_taken_over(id);
                report::send(&router, message, &Ended::delivered(Delivery::Stored));
                receipts::of_taking_over(&router, message);
                true
            }
            Err(error) => {
                tracing::debug!("A message is not taken over, its sender waits on: {error}");
                false
            }
        }
    }

    fn begin_taken_over(&self, id: MessageId) {
        let mut taken_over = self.taken_over.lock();
        taken_over.insert(id);
        self.taken_over_count.store(taken_over.len(), Ordering::Release);
    }

    /// Whether the message was one of them.
    fn forget_taken_over(&self, id: &MessageId) -> bool {
        let mut taken_over = self.taken_over.lock();
        let was_there = taken_over.remove(id);
        self.taken_over_count.store(taken_over.len(), Ordering::Release);
        was_there
    }

    /// Whether the message is one of them.
    pub(super) fn is_taken_over(&self, id: &MessageId) -> bool {
        self.taken_over_count.load(Ordering::Acquire) > 0 && self.taken_over.lock().contains(id)
    }

    /// The chatplan is through with the message: what became of it is written down.
    /// Whether it was one that had been taken over.
    pub(crate) async fn end_taken_over(&self, message: &Event, ended: &Ended) -> bool {
        if self.taken_over_count.load(Ordering::Acquire) == 0 {
            return false;
        }
        let id = MessageId::from(message.get(header::MESSAGE_ID).unwrap_or_default());
        let was_taken_over = self.forget_taken_over(&id);
        if !was_taken_over || ended.delivery == Some(Delivery::Stored) {
            return was_taken_over;
        }
        let state = match (ended.verdict.code, &ended.delivery) {
            (200..=299, Some(_)) => State::Delivered,
            (200..=299, None) => State::Done,
            _ => State::Refused,
        };
        let change = Change::Ended { at: self.now(), state, attempts: attempts(self.now(), ended) };
        self.write(&id, change).await;
        true
    }
}

fn attempts(at: chappe_store::Micros, ended: &Ended) -> Vec<chappe_store::Attempt> {
    let Some(delivery) = &ended.delivery else { return Vec::new() };
    let Verdict { code, reason, .. } = &ended.verdict;
    let device = delivery.device().unwrap_or_default().into();
    vec![chappe_store::Attempt { at, device, code: *code, reason: reason.as_ref().into() }]
}

/// Takes a message that was taken over before a restart through the chatplan.
pub(super) async fn route_again(router: Arc<Router>, message: Event, id: MessageId) {
    router.queue().begin_taken_over(id);
    flow::run(&router, message).await;
}
