//! `Event`: the message and the events that a script makes. FreeSWITCH switch_cpp.cpp `Event`.

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use chappe_chat::Outcome;
use chappe_event::{Calling, Event, EventName, Name, form, header};

use super::Kind::{self, Any, Text};
use super::{Function, NEW, needed, optional};
use crate::{HostError, Object, Run, Value};

const OBJECT: Object = Object::Event;

pub const FUNCTIONS: &[Function] = &[
    Function {
        object: OBJECT,
        name: NEW,
        arguments: &[needed("type", Text), optional("subclass", Text)],
        returns: "the event",
        doc: "A new event; with the type json the second argument is an event's JSON.",
        run: new,
    },
    Function {
        object: OBJECT,
        name: "addHeader",
        arguments: &[needed("name", Text), needed("value", Any)],
        returns: "true",
        doc: "Add a header; a MESSAGE has one of each name, the last.",
        run: add_header,
    },
    Function {
        object: OBJECT,
        name: "delHeader",
        arguments: &[needed("name", Text)],
        returns: "whether there was one",
        doc: "Remove the headers of that name.",
        run: del_header,
    },
    Function {
        object: OBJECT,
        name: "getHeader",
        arguments: &[needed("name", Text)],
        returns: "text, or nil when there is none of that name",
        doc: "A header's value; `_body` is the body.",
        run: get_header,
    },
    Function {
        object: OBJECT,
        name: "addBody",
        arguments: &[needed("text", Text)],
        returns: "true",
        doc: "Set the body.",
        run: add_body,
    },
    Function {
        object: OBJECT,
        name: "getBody",
        arguments: &[],
        returns: "text, or nil when there is none",
        doc: "The body.",
        run: get_body,
    },
    Function {
        object: OBJECT,
        name: "getType",
        arguments: &[],
        returns: "text",
        doc: "The event's name, MESSAGE for instance.",
        run: get_type,
    },
    Function {
        object: OBJECT,
        name: "serialize",
        arguments: &[optional("format", Text)],
        returns: "text",
        doc: "The event as text: plain, json or xml.",
        run: serialize,
    },
    Function {
        object: OBJECT,
        name: "setPriority",
        arguments: &[optional("priority", Any)],
        returns: "true",
        doc: "Say how urgent the event is: NORMAL, LOW or HIGH, or 0, 1 or 2.",
        run: set_priority,
    },
    Function {
        object: OBJECT,
        name: "merge",
        arguments: &[needed("event", Kind::Event)],
        returns: "true",
        doc: "Add all headers of another event.",
        run: merge,
    },
    Function {
        object: OBJECT,
        name: "fire",
        arguments: &[],
        returns: "whether it was fired",
        doc: "Give the event to all who listen; only one that the script made.",
        run: fire,
    },
    Function {
        object: OBJECT,
        name: "chat_execute",
        arguments: &[needed("app", Text), optional("data", Text)],
        returns: "0, or 1 when it could not be run",
        doc: "Run an app of the chatplan on the event, `reply` for instance.",
        run: chat_execute,
    },
    Function {
        object: OBJECT,
        name: "chat_send",
        arguments: &[optional("dest_proto", Text)],
        returns: "0, or 1 when the event is `blocking` and could not be sent",
        doc: "Send a copy of the event, through the chatplan unless `skip_global_process` is true.",
        run: chat_send,
    },
];

const CALLING: Calling = Calling { file: "switch_cpp.cpp", function: "Event", line: 365 };

fn new(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let kind = args[0].text();
    let subclass = args[1].given();
    if let Some(text) = subclass.as_deref().filter(|_| kind.eq_ignore_ascii_case("json")) {
        return match form::from_json(text) {
            Ok(event) => run.add_event(event),
            Err(error) => {
                tracing::error!("failed to make an event of JSON: {error}");
                Ok(Value::Nil)
            }
        };
    }
    let mut name = EventName::parse(&kind).unwrap_or(EventName::Message);
    if subclass.is_some() && name != EventName::Custom {
        tracing::warn!("Changing event type to custom because you specified a subclass name!");
        name = EventName::Custom;
    }
    let bus = run.world().bus();
    let event = match subclass {
        Some(subclass) => bus.custom(&subclass, CALLING),
        None => bus.event(name, CALLING),
    };
    run.add_event(event)
}

fn add_header(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let value = match &args[2] {
        Value::Bool(yes) => yes.to_string().into(),
        Value::Integer(number) => number.to_string().into(),
        Value::Number(number) => number.to_string().into(),
        other => other.text(),
    };
    let name = args[1].text();
    run.hold(name.len() + value.len())?;
    run.event_mut(&args[0])?.add(Name::copied(&name), value);
    Ok(true.into())
}

fn del_header(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let Some(name) = args[1].given() else {
        tracing::error!("Trying to delHeader an invalid header!");
        return Ok(false.into());
    };
    Ok(run.event_mut(&args[0])?.remove(&name).into())
}

fn get_header(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let Some(name) = args[1].given() else {
        tracing::error!("Trying to getHeader an invalid header!");
        return Ok(Value::Nil);
    };
    let event = run.event_of(&args[0])?;
    if name == header::BODY && event.headers().all(|(known, _)| !known.eq_ignore_ascii_case(&name)) {
        return Ok(body(event));
    }
    Ok(event.get(&name).into())
}

fn add_body(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let body = match &args[1] {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    run.hold(body.as_ref().map_or(0, Bytes::len))?;
    run.event_mut(&args[0])?.set_body(body);
    Ok(true.into())
}

fn get_body(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    Ok(body(run.event_of(&args[0])?))
}

/// The octets as they are.
fn body(event: &Event) -> Value {
    event.body().cloned().map_or(Value::Nil, Value::Text)
}

fn get_type(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    Ok(run.event_of(&args[0])?.name().as_str().into())
}

fn serialize(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let event = run.event_of(&args[0])?;
    let mut text = String::new();
    match &*args[1].text() {
        format if format.eq_ignore_ascii_case("json") => form::json(event, &mut text),
        format if format.eq_ignore_ascii_case("xml") => form::xml(event, &mut text),
        _ => {
            let mut octets = Vec::new();
            form::plain_octets(event, form::Encode::Percent, &mut octets);
            return Ok(Value::Text(Bytes::from(octets)));
        }
    }
    Ok(text.into())
}

/// FreeSWITCH switch_event.c `switch_event_set_priority`.
fn set_priority(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let priority = match &args[1] {
        Value::Integer(1) => "LOW".into(),
        Value::Integer(2) => "HIGH".into(),
        Value::Text(text) if !text.is_empty() => args[1].text(),
        _ => "NORMAL".into(),
    };
    run.event_mut(&args[0])?.add("priority", priority);
    Ok(true.into())
}

fn merge(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let other = run.event_of(&args[1])?.clone();
    run.hold(other.headers().map(|(name, value)| name.len() + value.as_str().len()).sum())?;
    run.event_mut(&args[0])?.merge(&other);
    Ok(true.into())
}

fn fire(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    if !run.owns(&args[0]) {
        tracing::error!("Not My event!");
        return Ok(false.into());
    }
    let event = run.event_of(&args[0])?.clone();
    // Listeners may have work for the runtime.
    let _runtime = run.world().runtime().enter();
    run.world().bus().fire(event);
    Ok(true.into())
}

/// FreeSWITCH's SWITCH_STATUS_SUCCESS and SWITCH_STATUS_FALSE.
const SUCCESS: Value = Value::Integer(0);
const FALSE: Value = Value::Integer(1);

fn chat_execute(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let router = run.world().router().clone();
    let app = args[1].text();
    let deals = router.app(&app).is_some_and(|row| row.takes);
    if deals && !run.may_deal() {
        tracing::error!("A script sends too much, the rest is left out");
        return Ok(FALSE);
    }
    let data = args[2].given();
    // The event leaves the run while the app has it, which may wait for another script.
    let mut event = std::mem::replace(run.event_mut(&args[0])?, Event::new(EventName::Message));
    let outcome = run.wait(router.execute_app(&mut event, &app, data.as_deref()));
    *run.event_mut(&args[0])? = event;
    Ok(match outcome? {
        // What is held is let go at once: the message's way ends elsewhere.
        Outcome::Continue | Outcome::Dealt | Outcome::Hold(_) => SUCCESS,
        Outcome::Stop | Outcome::Failed(_) | Outcome::Refused(_) => FALSE,
        Outcome::Sending(mut sending) => {
            // Polled at once, so that it is on its way before the script goes on.
            let _runtime = run.world().runtime().enter();
            let first = sending.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            run.add_sent(match first {
                Poll::Ready(delivery) => Box::pin(std::future::ready(delivery)),
                Poll::Pending => sending,
            });
            SUCCESS
        }
    })
}

/// FreeSWITCH switch_loadable_module.c `switch_core_chat_send`.
fn chat_send(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let mut copy = run.event_of(&args[0])?.clone();
    if let Some(dest_proto) = args[1].given() {
        copy.add(header::DEST_PROTO, dest_proto);
    }
    if !run.may_deal() {
        tracing::error!("A script sends too much, the rest is left out");
        return Ok(FALSE);
    }
    let blocking = copy.is_true(header::BLOCKING);
    let router = run.world().router();
    if blocking {
        let verdict = run.wait(router.route(copy))?;
        return Ok(if verdict.code < 300 { SUCCESS } else { FALSE });
    }
    let way = router.route(copy);
    router.spawn(Box::pin(async move {
        way.await;
    }));
    Ok(SUCCESS)
}
