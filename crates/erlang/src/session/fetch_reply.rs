//! `{bind, Section}` and `{fetch_reply, Id, Xml}`: a process answers for a section of the configuration.

use chappe_config::Section;
use eetf::Term;

use super::{Caller, Output, Session, reply};
use crate::term::{as_atom, as_text, atom, error};

/// FreeSWITCH's short word for a section, which `{bind, config}` uses.
const CONFIG: &str = "config";

pub(super) fn bind(session: &mut Session, caller: Caller, rest: &[Term], out: &mut Vec<Output>) {
    let name = rest.first().and_then(as_atom);
    let section = match name {
        Some(CONFIG) => Some(Section::Configuration),
        name => name.and_then(Section::parse),
    };
    let Some(section) = section else { return reply(out, caller, error("badarg")) };
    // In this order: a process that finds itself linked is asked from then on.
    out.push(Output::Bind(section, caller.pid.clone()));
    session.link(&caller.pid, out);
    reply(out, caller, atom("ok"));
}

pub(super) fn fetch_reply(_: &mut Session, caller: Caller, rest: &[Term], out: &mut Vec<Output>) {
    match rest {
        [id, xml, ..] if as_text(id).is_some() => {
            let id = as_text(id).unwrap_or_default();
            out.push(Output::Fetched { caller, id, text: as_text(xml) });
        }
        _ => reply(out, caller, error("badarg")),
    }
}
