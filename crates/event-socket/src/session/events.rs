//! `event`, `nixevent`, `noevents`: which kinds of events the client hears.

use chappe_event::EventName;

use super::{Output, Session, denied, reply};
use crate::command::Command;
use crate::subscription::Format;

/// `event[s] [plain|json|xml] NAME...`; every word after CUSTOM is a subclass.
pub(super) fn event(session: &mut Session, _: &Command, rest: &str, out: &mut Vec<Output>) {
    let mut words = words(rest).peekable();
    if let Some(format) = words.peek().and_then(|word| Format::parse(word)) {
        session.subscription.format = format;
        words.next();
    }
    let words: Vec<&str> = words.collect();
    let permissions = &session.permissions;
    let mut allowed = true;
    each_name(words.iter().copied(), |name| {
        allowed &= match name {
            Named::Kind(kind) => permissions.allows_event(kind),
            Named::Subclass(subclass) => permissions.allows_subclass(subclass),
        };
    });
    if !allowed {
        return denied(out);
    }
    let known = each_name(words.into_iter(), |name| match name {
        Named::Kind(kind) => session.subscription.add(kind),
        Named::Subclass(subclass) => session.subscription.add_subclass(subclass),
    });
    if !known {
        return reply(out, "-ERR no keywords supplied");
    }
    session.subscription.listen();
    out.push(Output::Subscribed);
    reply(out, &format!("+OK event listener enabled {}", session.subscription.format.name()));
}

/// `nixevent NAME...`
pub(super) fn nixevent(session: &mut Session, _: &Command, rest: &str, out: &mut Vec<Output>) {
    let known = each_name(words(rest), |name| match name {
        Named::Kind(kind) => session.subscription.remove(kind),
        Named::Subclass(subclass) => session.subscription.remove_subclass(subclass),
    });
    if !known {
        return reply(out, "-ERR no keywords supplied");
    }
    session.subscription.listen();
    out.push(Output::Subscribed);
    reply(out, "+OK events nixed");
}

/// `noevents`
pub(super) fn noevents(session: &mut Session, _: &Command, _: &str, out: &mut Vec<Output>) {
    out.push(Output::FlushEvents);
    if !session.subscription.is_listening() {
        return reply(out, "-ERR not listening for events");
    }
    session.subscription.clear();
    out.push(Output::Subscribed);
    reply(out, "+OK no longer listening for events");
}

/// `myevents UUID`: the events of one call, of which there are none.
pub(super) fn myevents(_: &mut Session, _: &Command, _: &str, out: &mut Vec<Output>) {
    reply(out, "-ERR invalid uuid");
}

enum Named<'a> {
    Kind(EventName),
    Subclass(&'a str),
}

/// The words after the command's own, which may have letters left of it, as `events` has of `event`.
fn words(rest: &str) -> impl Iterator<Item = &str> {
    let arguments = rest.split_once(' ').map_or("", |(_, arguments)| arguments);
    arguments.split(' ').filter(|word| !word.is_empty())
}

/// Whether any kind of event was named.
fn each_name<'a>(words: impl Iterator<Item = &'a str>, mut take: impl FnMut(Named<'a>)) -> bool {
    let (mut known, mut custom) = (false, false);
    for word in words {
        if custom {
            take(Named::Subclass(word));
        } else if let Some(kind) = EventName::parse(word) {
            known = true;
            custom = kind == EventName::Custom;
            take(Named::Kind(kind));
        }
    }
    known
}
