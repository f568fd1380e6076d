//! `event`: fires an event that its arguments make.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row, separate};
use chappe_event::{Calling, Event, EventName, Name, header};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "event",
    syntax: "Event-Name=<name>[,Event-Subclass=<subclass>][,<header>=<value>...]",
    doc: "Fire an event",
    module: "mod_commands",
};

/// As many as FreeSWITCH takes.
const MOST: usize = 25;

/// The arguments of FreeSWITCH's app of that name, mod_dptools.c event_function: commas between, in quotes or behind a
/// backslash they are part of a value. A body is the header `_body`.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let Some(mut event) = read(call.args) else { return Answer::usage(&ROW) };
    server.bus.prepare(&mut event, Calling::here("event_function"));
    server.bus.fire(event);
    "+OK\n".into()
}

/// `None`: it is not said what event, or there is no such.
fn read(text: &str) -> Option<Event> {
    let words = separate(text, ',', MOST);
    let pairs: Vec<(&str, &str)> = words
        .iter()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.trim_matches(' '), value.trim_start_matches(' ')))
        .collect();
    let value = |wanted: &str| {
        pairs.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value)
    };
    let subclass = value(header::EVENT_SUBCLASS);
    let name = match value(header::EVENT_NAME) {
        Some(name) => EventName::parse(name)?,
        None => subclass.map(|_| EventName::Custom)?,
    };
    let mut event = match subclass.filter(|_| name == EventName::Custom) {
        Some(subclass) => Event::custom(subclass),
        None => Event::new(name),
    };
    for (name, value) in pairs {
        let own =
            [header::EVENT_NAME, header::EVENT_SUBCLASS].iter().any(|own| own.eq_ignore_ascii_case(name));
        if name == header::BODY {
            event.set_body(Some(value.to_owned().into()));
        } else if !own && !name.is_empty() {
            event.add(Name::copied(name), value);
        }
    }
    Some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        let seen = |text| {
            let event = read(text)?;
            let headers = event.headers().map(|(name, value)| format!("{name}={}", value.as_str()));
            let headers: Vec<_> = headers.filter(|header| !header.starts_with("Event-")).collect();
            let subclass = event.subclass().unwrap_or("-");
            Some(format!("{} {subclass} {} [{}]", event.name(), headers.join(" "), event.body_text()))
        };
        for (text, expected) in [
            ("Event-Name=CUSTOM,Event-Subclass=a::b,x=1, y = 2", Some("CUSTOM a::b x=1 y=2 []")),
            ("event-subclass=a::b,_body=hello", Some("CUSTOM a::b  [hello]")),
            ("Event-Name=NOTIFY,Event-Subclass=a::b,x='1,2',y=a=b", Some("NOTIFY - x=1,2 y=a=b []")),
            ("Event-Name=NOSUCH", None),
            ("x=1", None),
            ("", None),
        ] {
            assert_eq!(seen(text).as_deref(), expected, "{text}");
        }
    }
}
