//! `CUSTOM SMS::ORIGINATE_MESSAGE`: a message that begins here, by the event socket or a script, and goes through the
//! chatplan as one that a device sent.

use chappe_event::{Event, EventName, header};

use crate::report;

/// The subclass of messages to be originated.
pub(crate) const SUBCLASS: &str = "SMS::ORIGINATE_MESSAGE";

/// The chat interface where the event names none.
const DEFAULT_PROTO: &str = "sip";

/// The message that the event asks for: its headers, and those that conditions look at where it has none of them.
/// `max_forwards` is kept, so that a chatplan which originates what it gets ends.
pub(crate) fn message(event: &Event) -> Event {
    let mut message = Event::new(EventName::Message);
    report::copy(event, &mut message, &[header::SKIP_GLOBAL_PROCESS, header::REPLYING]);
    if event.get(header::DEST_PROTO).is_none() {
        message.add(header::DEST_PROTO, DEFAULT_PROTO);
    }
    // Replies go out by the interface that the message came in by, and what came in by `global` has been through the plan.
    let proto = message.get(header::DEST_PROTO).unwrap_or(DEFAULT_PROTO).to_owned();
    message.add(header::PROTO, proto);
    split(&mut message, header::FROM, header::FROM_USER, header::FROM_HOST);
    split(&mut message, header::TO, header::TO_USER, header::TO_HOST);
    for (name, value) in
        [(header::TYPE, "text/plain"), (header::CONTEXT, "default"), (header::SUBJECT, "SIMPLE MESSAGE")]
    {
        if message.get(name).is_none() {
            message.add(name, value);
        }
    }
    message.set_body(event.body().cloned());
    message
}

/// User and host of an address, where the message does not say them.
fn split(message: &mut Event, address: &str, user: &'static str, host: &'static str) {
    let Some(text) = message.get(address) else { return };
    let bare = text.strip_prefix("sip:").unwrap_or(text);
    let (before, after) = bare.split_once('@').unwrap_or((bare, ""));
    let parts = [(user, before.to_owned()), (host, after.to_owned())];
    for (name, value) in parts {
        if message.get(name).is_none() && !value.is_empty() {
            message.add(name, value);
        }
    }
}
