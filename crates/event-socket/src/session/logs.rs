//! `log LEVEL` and `nolog`.

use chappe_event::LogLevel;

use super::{Output, Session, denied, reply};
use crate::command::Command;

/// `log [LEVEL]`; without a level, debug. The answer repeats the level as it was written.
pub(super) fn log(session: &mut Session, _: &Command, rest: &str, out: &mut Vec<Output>) {
    if !session.permissions.log {
        return denied(out);
    }
    let text = rest.trim_start_matches(' ').split(' ').next().unwrap_or_default();
    let level = if text.is_empty() { Some(LogLevel::Debug) } else { LogLevel::parse(text) };
    let Some(level) = level else { return reply(out, "-ERR invalid log level") };
    session.log_level = Some(level);
    out.push(Output::Log(Some(level)));
    reply(out, &format!("+OK log level {text} [{}]", level as u8));
}

/// `nolog`
pub(super) fn nolog(session: &mut Session, _: &Command, _: &str, out: &mut Vec<Output>) {
    out.push(Output::FlushLogs);
    if session.log_level.take().is_none() {
        // FreeSWITCH's spelling, which scripts compare.
        return reply(out, "-ERR not loging");
    }
    out.push(Output::Log(None));
    reply(out, "+OK no longer logging");
}
