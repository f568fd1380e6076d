//! API commands: those that are answered in turn, and background jobs.

use std::sync::Arc;

use bytes::Bytes;
use chappe_api::Registry;
use chappe_event::{Bus, Calling, EventName};
use tokio::sync::mpsc;

use crate::hub::Member;
use crate::session::Caller;
use crate::term::{atom, tuple};

/// API commands of one node that may wait for those before them; then no further message is read.
pub(crate) const MAX_WAITING: usize = 64;

/// Background jobs that one node may have at the same time.
pub(crate) const MAX_JOBS: usize = 1_000;

/// Runs the API commands of one node one after the other, beside what else the node says: a command may lead to a
/// question that the same node has to answer.
pub(crate) async fn run_in_turn(
    mut calls: mpsc::Receiver<(Caller, String)>,
    registry: Arc<Registry>,
    member: Arc<Member>,
) {
    while let Some((caller, line)) = calls.recv().await {
        let mut text = registry.execute(&line, None).text().await;
        let done = !text.is_empty() && !text.starts_with('-');
        if text.is_empty() {
            // FreeSWITCH's words.
            "Command returned no output!".clone_into(&mut text);
        }
        let answer = tuple([atom(if done { "ok" } else { "error" }), member.encoding.text(text)]);
        let (pid, answer) = caller.answer(answer);
        member.send(pid, answer).await;
    }
}

/// A background job.
pub(crate) struct Job {
    pub(crate) caller: Caller,
    pub(crate) job: String,
    pub(crate) name: String,
    pub(crate) args: String,
}

impl Job {
    /// Runs it to its end, whatever becomes of the connection, and tells what it said.
    pub(crate) async fn run(self, bus: Arc<Bus>, registry: Arc<Registry>, member: Arc<Member>) {
        let Self { caller, job, name, args } = self;
        let text = registry.execute(&format!("{name} {args}"), None).text().await;
        let done = !text.starts_with('-');
        let calling = Calling { file: "handle_msg.c", function: "api_exec", line: line!() };
        let mut event = bus.event(EventName::BackgroundJob, calling);
        event.add("Job-UUID", &job);
        event.add("Job-Command", &name);
        if !args.is_empty() {
            event.add("Job-Command-Arg", &args);
        }
        event.add("Job-Successful", if done { "true" } else { "false" });
        event.set_body(Some(Bytes::from(text.clone())));
        bus.fire(event);
        let said = atom(if done { "bgok" } else { "bgerror" });
        let answer = tuple([said, member.encoding.text(job), member.encoding.text(text)]);
        member.send(caller.pid, answer).await;
    }
}
