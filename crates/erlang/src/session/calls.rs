//! Requests about calls, of which there are none.

use eetf::Term;

use super::{Caller, Output, Session, reply};
use crate::term::{as_text, error};

/// `{session_event, ...}` and its likes, from a process that handles no call.
pub(super) fn not_listening(_: &mut Session, caller: Caller, rest: &[Term], out: &mut Vec<Output>) {
    reply(out, caller, error(if rest.is_empty() { "badarg" } else { "notlistening" }));
}

/// `{sendmsg, UUID, Headers}`
pub(super) fn sendmsg(_: &mut Session, caller: Caller, rest: &[Term], out: &mut Vec<Output>) {
    let sound = matches!(rest, [uuid, Term::List(_), ..] if as_text(uuid).is_some());
    reply(out, caller, error(if sound { "nosession" } else { "badarg" }));
}

/// `{handlecall, UUID}` and `{handlecall, Process, UUID}`
pub(super) fn handlecall(_: &mut Session, caller: Caller, rest: &[Term], out: &mut Vec<Output>) {
    let uuid = match rest {
        [uuid] | [Term::Atom(_), uuid] => as_text(uuid),
        _ => None,
    };
    let reason = match uuid.as_deref() {
        None => "badarg",
        Some("") => "baduuid",
        Some(_) => "badsession",
    };
    reply(out, caller, error(reason));
}
