//! `{sendevent, Name, Headers}` and `{sendevent, 'CUSTOM', Subclass, Headers}`: an event from outside.

use chappe_event::{Event, EventName, Name};
use eetf::Term;

use super::{Caller, Output, Session, reply};
use crate::term::{as_atom, as_text, atom, error};

/// The header that is the body instead.
const BODY: &str = "body";

pub(super) fn sendevent(session: &mut Session, caller: Caller, rest: &[Term], out: &mut Vec<Output>) {
    match event(rest) {
        Some(mut event) => {
            event.add("Event-UUID", (session.new_uuid)());
            out.push(Output::Fire(Box::new(event)));
            reply(out, caller, atom("ok"));
        }
        None => reply(out, caller, error("badarg")),
    }
}

fn event(rest: &[Term]) -> Option<Event> {
    let (name, rest) = rest.split_first()?;
    let name = EventName::parse(as_atom(name)?)?;
    let (subclass, headers) = match rest {
        [subclass, headers] if name == EventName::Custom => (Some(subclass), headers),
        [headers] if name != EventName::Custom => (None, headers),
        _ => return None,
    };
    let mut event = match subclass {
        Some(subclass) => Event::custom(&word(subclass)?),
        // Headers of a peer's event may repeat, so it does not start out as the kind it ends as.
        None => Event::new(EventName::Clone),
    };
    event.set_name(name);
    let Term::List(headers) = headers else { return None };
    for header in &headers.elements {
        let Term::Tuple(pair) = header else { return None };
        let [name, value] = pair.elements.as_slice() else { return None };
        let (name, value) = (word(name)?, word(value)?);
        if name == BODY {
            event.set_body(Some(value.into()));
        } else if !(subclass.is_some() && name.eq_ignore_ascii_case("Event-Subclass")) {
            event.add(Name::copied(&name), value);
        }
    }
    Some(event)
}

/// A text, or an atom, which FreeSWITCH takes for the subclass alone.
fn word(term: &Term) -> Option<String> {
    as_text(term).or_else(|| as_atom(term).map(str::to_owned))
}
