//! What is told of messages that are kept: events, reports, receipts, log lines.

use chappe_event::{Event, header};
use chappe_store::{Record, State, StoreError, Summary};

use super::Queue;
use crate::{Verdict, receipts, report};

/// The subclass of what happens in the queue.
pub(crate) const QUEUE_EVENT: &str = "SMS::QUEUE";
/// The subclass of what happens to the store.
pub(crate) const STORE_EVENT: &str = "SMS::STORE";

impl Queue {
    /// A message that was kept is over.
    pub(super) fn tell_end(&self, record: &Record, state: State, verdict: &Verdict, device: Option<&str>) {
        if let Some(message) = &record.message {
            self.tell_end_of(&record.summary, message, state, verdict, device);
        }
    }

    pub(super) fn tell_end_of(
        &self,
        summary: &Summary,
        message: &Event,
        state: State,
        verdict: &Verdict,
        device: Option<&str>,
    ) {
        let Some(router) = self.router.upgrade() else { return };
        tracing::debug!(
            "Message {} from {} to {} is {}: {} {}",
            summary.id,
            summary.sender,
            summary.recipient,
            state.as_str(),
            verdict.code,
            verdict.reason
        );
        report::of_kept(&router, message, verdict, device, summary.tries);
        receipts::of_end(&router, message, state);
        self.tell_queue(state.as_str(), message, &summary.recipient);
    }

    pub(super) fn tell_queue(&self, action: &str, message: &Event, recipient: &str) {
        let Some(router) = self.router.upgrade() else { return };
        if !router.bus().wanted(chappe_event::EventName::Custom, Some(QUEUE_EVENT)) {
            return;
        }
        let mut event = Event::custom(QUEUE_EVENT);
        event.add("Action", action);
        event.add("Queue-Recipient", recipient);
        event.add_display("Queue-Waiting", self.waiting(recipient));
        for name in [header::MESSAGE_ID, header::FROM, header::TO, header::TYPE] {
            event.add(name, message.get(name).unwrap_or_default());
        }
        router.bus().fire(event);
    }

    /// Tells when the store's trouble begins and when it is over.
    pub(super) fn tell_trouble(&self, before: &mut Option<StoreError>, trouble: Option<StoreError>) {
        if *before == trouble {
            return;
        }
        if let Some(router) = self.router.upgrade() {
            let mut event = Event::custom(STORE_EVENT);
            event.add(header::STATUS, if trouble.is_some() { "trouble" } else { "ok" });
            event.add("Reason", trouble.as_ref().map(ToString::to_string).unwrap_or_default());
            router.bus().fire(event);
        }
        *before = trouble;
    }
}
