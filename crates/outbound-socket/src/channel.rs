//! What programs know from calls: the message as `CHANNEL_DATA`, and the events about what is done with it.

use bytes::Bytes;
use chappe_event::form::{self, Encode};
use chappe_event::{Bus, Calling, Event, EventName, Name, Value, header, url_encode};

use crate::target::Mode;

/// The places in FreeSWITCH where it makes these events.
const EXEC: Calling =
    Calling { file: "switch_core_session.c", function: "switch_core_session_exec", line: 2949 };
const HANGUP: Calling =
    Calling { file: "switch_channel.c", function: "switch_channel_perform_hangup", line: 3507 };
const CONNECT: Calling = Calling { file: "mod_event_socket.c", function: "parse_command", line: 1960 };

/// The answer to `connect`.
///
/// A body in a `command/reply` is more than some client libraries expect, so the message's is told in a header `_body`.
/// It comes first: a client that decodes before it splits lines can be made to see headers in it, and takes the last of
/// a name.
pub(crate) fn data(bus: &Bus, message: &Event, id: &str, mode: Mode) -> Bytes {
    let mut event = about(bus, EventName::ChannelData, message, id, CONNECT);
    event.set("Content-Type", "command/reply");
    event.set("Reply-Text", "+OK\n");
    event.set("Socket-Mode", if mode.asynchronous { "async" } else { "static" });
    event.set("Control", if mode.full { "full" } else { "single-channel" });
    let mut text = match message.body_text().as_ref() {
        "" => String::new(),
        body => format!("{}: {}\n", header::BODY, url_encode(body)),
    };
    form::plain(&event, Encode::Percent, &mut text);
    text.into()
}

/// An app that is run.
pub(crate) struct Run<'a> {
    pub(crate) app: &'a str,
    pub(crate) data: Option<&'a str>,
    pub(crate) uuid: &'a str,
    pub(crate) uuid_name: Option<&'a str>,
}

/// Fires CHANNEL_EXECUTE, or, with what the app answered, CHANNEL_EXECUTE_COMPLETE.
pub(crate) fn execute(bus: &Bus, message: &Event, id: &str, run: &Run<'_>, response: Option<&str>) {
    let name = match response {
        None => EventName::ChannelExecute,
        Some(_) => EventName::ChannelExecuteComplete,
    };
    if !bus.wanted(name, None) {
        return;
    }
    let mut event = about(bus, name, message, id, EXEC);
    event.set("variable_current_application", run.app);
    event.set("variable_current_application_data", run.data.unwrap_or_default());
    event.set("Application", run.app);
    event.set("Application-Data", run.data.unwrap_or_default());
    if let Some(response) = response {
        event.set("Application-Response", response);
    }
    event.set("Application-UUID", run.uuid);
    event.set("Application-UUID-Name", run.uuid_name.unwrap_or_default());
    bus.fire(event);
}

/// Fires the events of the end that the program asked for.
pub(crate) fn hangup(bus: &Bus, message: &Event, id: &str, cause: &str) {
    for name in [EventName::ChannelHangup, EventName::ChannelHangupComplete] {
        if bus.wanted(name, None) {
            let mut event = about(bus, name, message, id, HANGUP);
            for (header, value) in [
                ("Channel-State", "CS_HANGUP"),
                ("Channel-State-Number", "10"),
                ("Channel-Call-State", "HANGUP"),
                ("Answer-State", "hangup"),
                ("Hangup-Cause", cause),
            ] {
                event.set(header, value);
            }
            bus.fire(event);
        }
    }
}

/// What `disconnect-notice` and CHANNEL_DATA call the message.
pub(crate) fn name(message: &Event) -> String {
    format!("message/{}", message.get(header::FROM).unwrap_or("nobody"))
}

/// An event with the message's headers, and with those of a call that have an equal here.
fn about(bus: &Bus, name: EventName, message: &Event, id: &str, calling: Calling) -> Event {
    let mut event = bus.event(name, calling);
    let own = |header: &str| message.get(header).unwrap_or_default();
    let channel = self::name(message);
    for (header, value) in [
        (header::UNIQUE_ID, id),
        ("Channel-Name", channel.as_str()),
        ("Channel-State", "CS_EXECUTE"),
        ("Channel-State-Number", "4"),
        ("Channel-Call-State", "ACTIVE"),
        ("Channel-Call-UUID", id),
        ("Answer-State", "answered"),
        ("Call-Direction", "inbound"),
        ("Caller-Direction", "inbound"),
        ("Caller-Unique-ID", id),
        ("Caller-Username", own(header::FROM_USER)),
        ("Caller-Caller-ID-Name", own(header::FROM_USER)),
        ("Caller-Caller-ID-Number", own(header::FROM_USER)),
        ("Caller-Network-Addr", own(header::FROM_SIP_IP)),
        ("Caller-Destination-Number", own(header::TO_USER)),
        ("Caller-Context", own(header::CONTEXT)),
        ("Caller-Source", "mod_sms"),
        ("variable_uuid", id),
        ("variable_call_uuid", id),
        ("variable_socket_host", own("socket_host")),
    ] {
        event.set(header, value);
    }
    copy(message, &mut event);
    event
}

/// Adds the headers that the event does not have.
fn copy(message: &Event, event: &mut Event) {
    const NEVER: [&str; 4] =
        [header::EVENT_SUBCLASS, header::CONTENT_LENGTH, header::CONTENT_TYPE, header::BODY];
    for (name, value) in message.headers() {
        let reserved = NEVER.iter().any(|known| known.eq_ignore_ascii_case(name));
        if reserved || event.get(name).is_some() {
            continue;
        }
        match value {
            Value::Text(text) => event.add(Name::copied(name), text),
            Value::Array(array) => {
                array.iter().for_each(|element| event.push(Name::copied(name), element));
            }
        }
    }
}
