//! One message's way: the chatplan, the delivery, the events. FreeSWITCH switch_loadable_module.c `do_chat_send`.

use std::sync::Arc;

use chappe_event::{Event, header};

use crate::asker::Asker;
use crate::hunting::{self, Planned, Sent};
use crate::limits::MAX_FORWARDS;
use crate::{
    ChatInterface, Delivery, Hold, MessageName, Queue, Quirks, Router, Verdict, delivery, receipts, report,
};

/// How a message ended.
pub(crate) struct Ended {
    /// The plan sent a copy on, which is reported by itself.
    pub(crate) copied: bool,
    pub(crate) verdict: Verdict,
    /// What became of it, if it was sent on.
    pub(crate) delivery: Option<Delivery>,
    /// FreeSWITCH's status, which its events tell of.
    pub(crate) succeeded: bool,
}

pub(crate) async fn route(router: Arc<Router>, message: Event) -> Verdict {
    run(&router, message).await.verdict
}

/// Routes the message, then tells the bus.
pub(crate) async fn run(router: &Arc<Router>, message: Event) -> Ended {
    run_for(router, message, None).await
}

/// The same, while the sender waits.
pub(crate) async fn run_for(router: &Arc<Router>, mut message: Event, asker: Option<&Asker>) -> Ended {
    let quirks = router.quirks();
    if !quirks.reports && message.get(header::MESSAGE_ID).is_none() {
        message.add(header::MESSAGE_ID, MessageName::fresh());
    }
    if message.get(header::DEST_PROTO).is_none() {
        return without_destination(router, quirks, &message);
    }
    if message.get(header::PROTO).is_none() {
        message.add(header::PROTO, "global");
    }
    // Let go at the end.
    let mut held = Vec::new();
    let ended = match plan(router, quirks, &mut message, &mut held, asker).await {
        Way::Deliver(plan_succeeded) => deliver(router, quirks, &mut message, plan_succeeded).await,
        Way::Ended(ended) => ended,
        Way::Taken(sent) => taken(sent).await,
    };
    let was_taken_over = router.queue().end_taken_over(&message, &ended).await;
    receipts::of_way(router, &message, &ended, was_taken_over);
    report::tell(router, quirks, message, &ended);
    ended
}

/// FreeSWITCH does nothing at all with such a message.
fn without_destination(router: &Router, quirks: Quirks, message: &Event) -> Ended {
    let why = "it has no dest_proto";
    let ended = Ended::failed(Verdict::SERVER_ERROR, why);
    if !quirks.reports {
        tracing::warn!("A message to {} goes nowhere: {why}", addressee(message));
        report::send(router, message, &ended);
    }
    ended
}

/// Where a message goes after the chatplan.
enum Way {
    /// Point to point; and whether FreeSWITCH's status is success by then.
    Deliver(bool),
    /// Nowhere, and why.
    Ended(Ended),
    /// The plan dealt with it, and sent these on.
    Taken(Vec<Sent>),
}

async fn plan(
    router: &Arc<Router>,
    quirks: Quirks,
    message: &mut Event,
    held: &mut Vec<Hold>,
    asker: Option<&Asker>,
) -> Way {
    let Some(plan) = router.plan().filter(|_| goes_through_the_plan(quirks, message)) else {
        return Way::Deliver(false);
    };
    if !count_hop(message) {
        tracing::error!("Max forwards reached");
        if quirks.deliver_after_match {
            tracing::error!(
                "Chat Interface Error [{}]!",
                message.get(header::DEST_PROTO).unwrap_or_default()
            );
            return Way::Deliver(false);
        }
        return Way::Ended(Ended::failed(Verdict::TOO_MANY_HOPS, "it went through too many hops"));
    }
    let plan = match router.find_plan(message) {
        Some(finding) => finding.await.unwrap_or(plan),
        None => plan,
    };
    let mut planned = hunting::run(router, &plan, message, asker).await;
    held.append(&mut planned.held);
    way_after(quirks, message, planned)
}

fn way_after(quirks: Quirks, message: &Event, planned: Planned) -> Way {
    if let Some(verdict) = planned.refused {
        return Way::Ended(Ended::failed(verdict, "a limit is reached"));
    }
    let is_final = message.is_true(header::FINAL_DELIVERY);
    if quirks.deliver_after_match {
        return if planned.acted && is_final {
            Way::Taken(planned.sent)
        } else {
            Way::Deliver(planned.acted)
        };
    }
    if let Some(verdict) = planned.broken {
        return Way::Ended(Ended::failed(verdict, "the chatplan could not be carried out"));
    }
    if planned.taken || is_final { Way::Taken(planned.sent) } else { Way::Deliver(planned.acted) }
}

/// Replies, copies that `send` made and is-composing bodies do not.
fn goes_through_the_plan(quirks: Quirks, message: &Event) -> bool {
    !message.is_true(header::REPLYING)
        && !message.get(header::PROTO).is_some_and(names_global)
        && !message.is_true(header::SKIP_GLOBAL_PROCESS)
        && (quirks.swallow_composing || !is_composing(message))
}

pub(crate) fn names_global(proto: &str) -> bool {
    const GLOBAL: &[u8] = b"global";
    proto.as_bytes().windows(GLOBAL.len()).any(|part| part.eq_ignore_ascii_case(GLOBAL))
}

/// RFC 3994 §4.
pub(crate) fn is_composing(message: &Event) -> bool {
    const COMPOSING: &str = "application/im-iscomposing+xml";
    let written = message.get(header::TYPE).unwrap_or_default().trim_start();
    let (Some(bare), Some(rest)) = (written.get(..COMPOSING.len()), written.get(COMPOSING.len()..)) else {
        return false;
    };
    bare.eq_ignore_ascii_case(COMPOSING) && matches!(rest.trim_start().chars().next(), None | Some(';'))
}

/// Takes one hop off; whether one is left. FreeSWITCH mod_sms.c `chat_send`.
fn count_hop(message: &mut Event) -> bool {
    let left = match message.get(header::MAX_FORWARDS) {
        None => MAX_FORWARDS,
        Some(hops) => i64::from(chappe_event::leading_number(hops)) - 1,
    };
    if left > 0 {
        message.add_number(header::MAX_FORWARDS, left);
    }
    left > 0
}

async fn deliver(router: &Arc<Router>, quirks: Quirks, message: &mut Event, plan_succeeded: bool) -> Ended {
    let dest_proto = message.get(header::DEST_PROTO).unwrap_or_default();
    if names_global(dest_proto) {
        let ended = Ended::failed(Verdict::SERVER_ERROR, "its dest_proto is no way out");
        return Ended { succeeded: plan_succeeded, ..ended };
    }
    let interface = delivery::find(router, dest_proto);
    let delivery = match interface {
        Ok(interface) if keeps(router, quirks, message) => {
            deliver_or_keep(router, &*interface, message).await
        }
        Ok(interface) => delivery::send_by(&*interface, message).await.delivery,
        Err(failed) => {
            return Ended { verdict: Verdict::UNKNOWN_INTERFACE, ..Ended::delivered(failed) };
        }
    };
    if !quirks.accept_always {
        say_what_is_lost(message, &delivery);
    }
    Ended::delivered(delivery)
}

/// Whether the message waits where it can't be delivered at once. RFC 3994 §3.2: that somebody is typing is of no use later.
fn keeps(router: &Router, quirks: Quirks, message: &Event) -> bool {
    router.queue().is_there() && !quirks.accept_always && !is_composing(message)
}

async fn deliver_or_keep(
    router: &Arc<Router>,
    interface: &dyn ChatInterface,
    message: &mut Event,
) -> Delivery {
    let queue = router.queue();
    if Queue::is_deferred(message) || queue.has_lines() {
        let destination = queue.destination(message, interface.recipient(message));
        if queue.goes_behind(&destination) {
            return queue.keep(message, destination, Delivery::NobodyRegistered.into()).await;
        }
    }
    let tried = delivery::send_by(interface, message).await;
    match tried.delivery {
        Delivery::NobodyRegistered | Delivery::NoAnswer => {
            let destination = queue.destination(message, interface.recipient(message));
            queue.keep(message, destination, tried).await
        }
        Delivery::Delivered { .. } if queue.keeps_for_others() => {
            queue.keep_for_others(message, interface.recipient(message), tried.copies, tried.rest);
            tried.delivery
        }
        other => other,
    }
}

/// A message that reached nobody and is kept nowhere, which its sender is told. Nothing is lost with an is-composing body.
fn say_what_is_lost(message: &Event, delivery: &Delivery) {
    let why = match delivery {
        Delivery::NobodyRegistered => "nobody is registered",
        Delivery::NoAnswer => "no device answered",
        Delivery::Failed(why) => why,
        _ => return,
    };
    if !is_composing(message) {
        let name = |header| message.get(header).unwrap_or("nobody");
        tracing::warn!("A message from {} to {} is refused: {why}", name(header::FROM), name(header::TO));
    }
}

/// The best of what became of the copies that were sent on; success when there was none.
async fn taken(sent: Vec<Sent>) -> Ended {
    let mut best: Option<(Verdict, Delivery)> = None;
    for sent in sent {
        let delivery = match sent {
            Sent::Over(delivery) => delivery,
            Sent::UnderWay(sending) => sending.await,
        };
        let verdict = Verdict::of_delivery(&delivery);
        if best.as_ref().is_none_or(|(known, _)| verdict.code < known.code) {
            best = Some((verdict, delivery));
        }
    }
    match best {
        Some((verdict, delivery)) => {
            Ended { copied: true, succeeded: delivery.succeeded(), verdict, delivery: Some(delivery) }
        }
        None => Ended { copied: false, succeeded: true, verdict: Verdict::OK, delivery: None },
    }
}

/// The recipient, as log lines name it.
pub(crate) fn addressee(message: &Event) -> &str {
    message.get(header::TO).unwrap_or("nobody")
}

impl Ended {
    /// A message that was sent on, and what became of it.
    pub(crate) fn delivered(delivery: Delivery) -> Self {
        let verdict = Verdict::of_delivery(&delivery);
        Self { copied: false, succeeded: delivery.succeeded(), verdict, delivery: Some(delivery) }
    }

    fn failed(verdict: Verdict, why: &str) -> Self {
        Self { copied: false, verdict, delivery: Some(Delivery::Failed(why.to_owned())), succeeded: false }
    }
}
