//! `{api, Command, Arguments}` and `{bgapi, Command, Arguments}`.

use eetf::Term;

use super::{Caller, Output, Session, reply};
use crate::term::{as_atom, as_text, atom, error, tuple};

/// Answers `{ok, Text}` or `{error, Text}` when the command has ended.
pub(super) fn api(_: &mut Session, caller: Caller, rest: &[Term], out: &mut Vec<Output>) {
    match command(rest) {
        Some((name, args)) => out.push(Output::Api { caller, line: format!("{name} {args}") }),
        None => reply(out, caller, error("badarg")),
    }
}

/// Answers `{ok, JobUUID}`, and `{bgok, JobUUID, Text}` or `{bgerror, JobUUID, Text}` when the command has ended.
pub(super) fn bgapi(session: &mut Session, caller: Caller, rest: &[Term], out: &mut Vec<Output>) {
    let Some((name, args)) = command(rest) else { return reply(out, caller, error("badarg")) };
    let job = (session.new_uuid)();
    reply(out, caller.clone(), tuple([atom("ok"), session.encoding.text(&job)]));
    // What comes later is no answer to a call any more.
    let caller = Caller { pid: caller.pid, tag: None };
    out.push(Output::Job { caller, job, name, args });
}

fn command(rest: &[Term]) -> Option<(String, String)> {
    let [name, args, ..] = rest else { return None };
    Some((as_atom(name)?.to_owned(), as_text(args)?))
}
