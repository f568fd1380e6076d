//! `register_log_handler`, `{set_log_level, Level}`, `nolog`.

use chappe_event::LogLevel;
use eetf::Term;

use super::{Caller, Output, Session, reply};
use crate::term::{as_atom, atom, error};

/// The caller gets the log, from DEBUG on.
pub(super) fn register_log_handler(session: &mut Session, caller: Caller, _: &[Term], out: &mut Vec<Output>) {
    session.link(&caller.pid, out);
    session.wishes.log_handler = Some(caller.pid.clone());
    session.wishes.log_level = Some(LogLevel::Debug);
    out.push(Output::Wished);
    reply(out, caller, atom("ok"));
}

/// `{set_log_level, Level}`: down to that level. CONSOLE, which has number 0, is not taken.
pub(super) fn set_log_level(session: &mut Session, caller: Caller, rest: &[Term], out: &mut Vec<Output>) {
    let level = match rest {
        [level] => as_atom(level).and_then(LogLevel::parse),
        _ => None,
    };
    let Some(level) = level.filter(|level| *level != LogLevel::Console) else {
        return reply(out, caller, error("badarg"));
    };
    session.wishes.log_level = Some(level);
    out.push(Output::Wished);
    reply(out, caller, atom("ok"));
}

/// `nolog`
pub(super) fn nolog(session: &mut Session, caller: Caller, _: &[Term], out: &mut Vec<Output>) {
    session.wishes.log_handler = None;
    out.extend([Output::Wished, Output::FlushLogs]);
    reply(out, caller, atom("ok"));
}
