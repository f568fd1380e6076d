//! `register_event_handler`, `{event, ...}`, `{nixevent, ...}`, `{setevent, ...}`, `noevents`: what a node hears.

use chappe_event::EventName;
use chappe_event_socket::subscription::Subscription;
use eetf::Term;

use super::{Caller, Output, Session, reply};
use crate::term::{as_atom, as_text, atom, error};

/// The caller gets the node's events.
pub(super) fn register_event_handler(
    session: &mut Session,
    caller: Caller,
    _: &[Term],
    out: &mut Vec<Output>,
) {
    session.link(&caller.pid, out);
    session.wishes.event_handler = Some(caller.pid.clone());
    out.push(Output::Wished);
    reply(out, caller, atom("ok"));
}

/// `{event, Name, ...}`; what follows CUSTOM is subclasses.
pub(super) fn event(session: &mut Session, caller: Caller, rest: &[Term], out: &mut Vec<Output>) {
    change(session, caller, rest, out, |subscription, names| {
        subscription.listen();
        each_name(names, |named| match named {
            Named::Kind(kind) => subscription.add(kind),
            Named::Subclass(subclass) => subscription.add_subclass(subclass),
        });
        true
    });
}

/// `{nixevent, Name, ...}`
pub(super) fn nixevent(session: &mut Session, caller: Caller, rest: &[Term], out: &mut Vec<Output>) {
    change(session, caller, rest, out, |subscription, names| {
        each_name(names, |named| match named {
            Named::Kind(kind) => subscription.remove(kind),
            Named::Subclass(subclass) => subscription.remove_subclass(subclass),
        });
        true
    });
}

/// `{setevent, Name, ...}`: these and no others, with no event missed between. ALL is not taken.
pub(super) fn setevent(session: &mut Session, caller: Caller, rest: &[Term], out: &mut Vec<Output>) {
    change(session, caller, rest, out, |subscription, names| {
        let mut all = false;
        let mut new = Subscription::default();
        new.listen();
        each_name(names, |named| match named {
            Named::Kind(EventName::All) => all = true,
            Named::Kind(kind) => new.add(kind),
            Named::Subclass(subclass) => new.add_subclass(subclass),
        });
        if !all {
            *subscription = new;
        }
        !all
    });
}

/// `noevents`
pub(super) fn noevents(session: &mut Session, caller: Caller, _: &[Term], out: &mut Vec<Output>) {
    out.push(Output::FlushEvents);
    let wishes = &mut session.wishes;
    if !wishes.subscription.is_listening() && wishes.event_handler.is_none() {
        return reply(out, caller, error("notlistening"));
    }
    wishes.subscription.clear();
    out.push(Output::Wished);
    reply(out, caller, atom("ok"));
}

fn change(
    session: &mut Session,
    caller: Caller,
    rest: &[Term],
    out: &mut Vec<Output>,
    change: impl FnOnce(&mut Subscription, &[String]) -> bool,
) {
    let names = names(rest).filter(|names| !names.is_empty());
    let taken = names.is_some_and(|names| change(&mut session.wishes.subscription, &names));
    if !taken {
        return reply(out, caller, error("badarg"));
    }
    out.push(Output::Wished);
    reply(out, caller, atom("ok"));
}

/// The names: atoms, or texts, or a list of them. FreeSWITCH passes over what is no atom, and answers `ok`.
fn names(rest: &[Term]) -> Option<Vec<String>> {
    let name = |term: &Term| as_atom(term).map(str::to_owned).or_else(|| as_text(term));
    let mut names = Vec::new();
    for term in rest {
        match (name(term), term) {
            (Some(name), _) => names.push(name),
            (None, Term::List(list)) => {
                names.extend(list.elements.iter().map(name).collect::<Option<Vec<_>>>()?);
            }
            _ => return None,
        }
    }
    Some(names)
}

enum Named<'a> {
    Kind(EventName),
    Subclass(&'a str),
}

fn each_name(names: &[String], mut take: impl FnMut(Named<'_>)) {
    let mut custom = false;
    for name in names {
        if custom {
            take(Named::Subclass(name));
        } else if let Some(kind) = EventName::parse(name) {
            custom = kind == EventName::Custom;
            take(Named::Kind(kind));
        }
    }
}
