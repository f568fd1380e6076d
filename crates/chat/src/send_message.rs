//! `CUSTOM SMS::SEND_MESSAGE`: messages that come in by the event socket or a script. FreeSWITCH mod_sms.c
//! `event_handler`.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use chappe_event::{Bus, Event, EventName, HookId, Subscriber, SubscriberId, header, is_false};

use crate::delivery::Place;
use crate::{Router, flow, originate, report};

/// The subclass of messages to be sent.
const SEND_MESSAGE: &str = "SMS::SEND_MESSAGE";

/// Listens for messages while mod_sms is loaded.
pub(crate) struct SendMessage {
    bus: Arc<Bus>,
    listener: Arc<Listener>,
    /// Locked when mod_sms is loaded or unloaded, never on a message's way.
    listening: Mutex<Option<(SubscriberId, HookId)>>,
}

impl SendMessage {
    pub(crate) fn new(bus: Arc<Bus>, router: Weak<Router>) -> Self {
        Self { bus, listener: Arc::new(Listener { router }), listening: Mutex::new(None) }
    }

    /// Begins or ends to listen.
    pub(crate) fn listen(&self, listen: bool) {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        match (listen, *listening) {
            (true, None) => {
                let hook = Arc::new(|event: &mut Event| event.add(header::SKIP_GLOBAL_PROCESS, "true"));
                let hook = self.bus.add_hook(EventName::Custom, Some(SEND_MESSAGE), hook);
                *listening = Some((self.bus.subscribe(self.listener.clone()), hook));
            }
            (false, Some((subscriber, hook))) => {
                self.bus.unsubscribe(subscriber);
                self.bus.remove_hook(hook);
                *listening = None;
            }
            _ => {}
        }
    }
}

struct Listener {
    router: Weak<Router>,
}

impl Subscriber for Listener {
    fn wants(&self, name: EventName, subclass: Option<&str>) -> bool {
        let ours = |subclass| [SEND_MESSAGE, originate::SUBCLASS].contains(&subclass);
        name == EventName::Custom && subclass.is_none_or(ours)
    }

    fn deliver(&self, event: &Arc<Event>) {
        let originates = event.subclass() == Some(originate::SUBCLASS);
        if !originates && event.subclass() != Some(SEND_MESSAGE) {
            return;
        }
        let Some(router) = self.router.upgrade() else { return };
        let Some(place) = Place::take(&router, event) else { return };
        let event = Event::clone(event);
        (router.deps.spawn)(Box::pin(async move {
            if originates {
                flow::route(place.0.clone(), originate::message(&event)).await;
            } else {
                handle(place.0.clone(), event).await;
            }
        }));
    }
}

/// Sends the message, or, where it comes back with its outcome, reports it in FreeSWITCH's way.
pub(crate) async fn handle(router: Arc<Router>, mut event: Event) {
    if let Some(status) = outcome(&event) {
        if router.quirks().reports {
            say(status);
            report::send_of_outcome(&router, &event, status);
        }
        return;
    }
    if !event.is_true(header::SKIP_GLOBAL_PROCESS) {
        event.add(header::SKIP_GLOBAL_PROCESS, "true");
    }
    if let Some(dest_proto) = event.get(header::DEST_PROTO).map(str::to_owned) {
        event.add(header::DEST_PROTO, dest_proto);
    }
    flow::route(router, event).await;
}

/// The outcome that an event already tells of.
fn outcome(event: &Event) -> Option<&'static str> {
    if event.is_true(header::DELIVERY_FAILURE) {
        Some("Failure")
    } else if event.get(header::DELIVERY_FAILURE).is_some_and(is_false) {
        Some("Success")
    } else {
        event.is_true(header::NONBLOCKING_DELIVERY).then_some("Accepted")
    }
}

fn say(status: &str) {
    match status {
        "Failure" => tracing::error!("Delivery Failure"),
        "Success" => tracing::debug!("SMS Delivery Success"),
        _ => tracing::debug!("SMS Delivery assumed successful due to being sent in non-blocking manner"),
    }
}
