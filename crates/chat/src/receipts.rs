//! Notifications to senders who asked for them: which of them when, [`imdn`] says.

use std::sync::Arc;

use chappe_event::{Event, header};
use chappe_store::State;

use crate::flow::Ended;
use crate::imdn::{self, Notice, Positive};
use crate::{Delivery, Router, delivery};

/// The answer to a message that was taken over.
const TAKEN_OVER: u16 = 202;

/// A message has gone its way. `was_taken_over`: its sender had his answer while an app was at work on it.
pub(crate) fn of_way(router: &Arc<Router>, message: &Event, ended: &Ended, was_taken_over: bool) {
    // What the plan sent on has receipts of its own.
    if ended.copied || !imdn::is_cpim(message) {
        return;
    }
    let refused = ended.verdict.code >= 300;
    let answered = if was_taken_over { TAKEN_OVER } else { ended.verdict.code };
    match &ended.delivery {
        Some(Delivery::Stored) if was_taken_over => {}
        Some(Delivery::Stored) => send(router, message, Notice::Stored, answered),
        _ if refused => send(router, message, Notice::Failed, answered),
        _ => send(router, message, Notice::Processed, answered),
    }
}

/// A message is taken over while an app is at work on it.
pub(crate) fn of_taking_over(router: &Arc<Router>, message: &Event) {
    send(router, message, Notice::Stored, TAKEN_OVER);
}

/// A message that was kept is over.
pub(crate) fn of_end(router: &Arc<Router>, message: &Event, state: State) {
    if matches!(state, State::Refused | State::Expired | State::Cancelled) {
        send(router, message, Notice::Failed, TAKEN_OVER);
    }
}

fn send(router: &Arc<Router>, message: &Event, notice: Notice, answered: u16) {
    if router.quirks().reports || !notice.is_due(answered, Positive::Device) {
        return;
    }
    let Some(wanted) = imdn::wanted(message) else { return };
    let now = router.deps.clock.unix_micros();
    let Some(notification) = imdn::notification(message, &wanted, notice, now, &unguessable()) else {
        return;
    };
    let back = notification.get(header::DEST_PROTO).unwrap_or_default().to_owned();
    delivery::detach(router, &back, notification);
}

/// RFC 5438 §6.3: nobody else shall be able to make up a notification about it.
fn unguessable() -> String {
    let mut random = [0; 16];
    // Without randomness nothing is promised of it, but that there is one.
    let _ = getrandom::fill(&mut random);
    format!("{:032x}", u128::from_ne_bytes(random))
}
