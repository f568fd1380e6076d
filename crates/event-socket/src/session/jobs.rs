//! `api` and `bgapi`.

use super::{Output, Session, denied};
use crate::command::Command;
use crate::frame;

/// `api COMMAND`; with a header `console_execute: true` it is what somebody typed.
pub(super) fn api(session: &mut Session, command: &Command, line: &str, out: &mut Vec<Output>) {
    if !session.permissions.allows_api(line) {
        return denied(out);
    }
    let console = command.header("console_execute").is_some_and(chappe_event::is_true);
    out.push(Output::Api { line: line.to_owned(), console });
}

/// `bgapi COMMAND`; the client may name the job itself, in a header `Job-UUID`.
pub(super) fn bgapi(session: &mut Session, command: &Command, line: &str, out: &mut Vec<Output>) {
    if !session.permissions.allows_api(line) {
        return denied(out);
    }
    let given = command.header("Job-UUID").filter(|job| !job.is_empty());
    let job = given.map_or_else(|| (session.new_uuid)(), str::to_owned);
    out.push(Output::Reply(frame::job_reply(&job)));
    out.push(Output::Job { job, line: line.to_owned() });
}
