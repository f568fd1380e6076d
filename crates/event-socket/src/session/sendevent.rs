//! `sendevent NAME`: an event from outside. `sendmsg`: an order to a call, of which there are none.

use bytes::Bytes;
use chappe_event::{Event, EventName, Name};

use super::{Output, Session, reply};
use crate::command::Command;

/// `sendevent NAME`, the event's headers, and a body when Content-Length says so.
pub(super) fn sendevent(session: &mut Session, command: &Command, rest: &str, out: &mut Vec<Output>) {
    let uuid = (session.new_uuid)();
    let name = EventName::parse(rest.trim_matches([' ', '\t'])).unwrap_or(EventName::Clone);
    // The reply goes out before what the event brings about.
    reply(out, &format!("+OK {uuid}"));
    out.push(Output::Fire(Box::new(event(name, command, &uuid))));
}

fn event(name: EventName, command: &Command, uuid: &str) -> Event {
    let subclass = command.header("Event-Subclass").filter(|_| name == EventName::Custom);
    let mut event = match subclass {
        Some(subclass) => Event::custom(subclass),
        // Headers of a client's event may repeat, so it does not start out as the kind it ends as.
        None => Event::new(EventName::Clone),
    };
    event.set_name(name);
    event.add("Command", &command.line);
    for (header, value) in &command.headers {
        if header == "_body" {
            event.set_body(Some(Bytes::copy_from_slice(value.as_bytes())));
        } else if subclass.is_none() || !header.eq_ignore_ascii_case("Event-Subclass") {
            event.add(Name::copied(header), value);
        }
    }
    event.add("Event-UUID", uuid);
    if let Some(body) = &command.body {
        event.set_body(Some(Bytes::copy_from_slice(body)));
    }
    event
}

/// `sendmsg [UUID]`
pub(super) fn sendmsg(_: &mut Session, command: &Command, rest: &str, out: &mut Vec<Output>) {
    let given = rest.trim_start_matches(' ');
    let call = if given.is_empty() { command.header("session-id").unwrap_or_default() } else { given };
    reply(out, &format!("-ERR invalid session id [{call}]"));
}
