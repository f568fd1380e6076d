//! Background jobs: `bgapi`, as a command of the protocol and as an API command.

use std::sync::Arc;

use bytes::Bytes;
use chappe_api::{Answer, Call, Command, Registry, Row};
use chappe_event::{Bus, EventName};

use super::calling;

/// Runs a background job to its end, whatever becomes of the connection, and tells what it said.
pub(super) async fn run(bus: Arc<Bus>, registry: Arc<Registry>, job: String, line: String) {
    let text = registry.execute(&line, None).text().await;
    let (command, args) = line.split_once(' ').unwrap_or((&line, ""));
    let mut event = bus.event(EventName::BackgroundJob, calling("api_exec", line!()));
    event.add("Job-UUID", &job);
    event.add("Job-Command", command);
    if !args.is_empty() {
        event.add("Job-Command-Arg", args);
    }
    event.set_body(Some(Bytes::from(text)));
    bus.fire(event);
}

/// The API command `bgapi`, which people type at a console.
pub(super) struct Bgapi(pub(super) Arc<Bus>);

pub(super) const ROW: Row = Row {
    name: "bgapi",
    syntax: "[uuid:<uuid> ]<command>[ <arg>]",
    doc: "Execute an api command in a thread",
    module: "mod_commands",
};

impl Command for Bgapi {
    fn row(&self) -> &Row {
        &ROW
    }

    fn run(&self, call: Call<'_>) -> Answer {
        let given = call.args.strip_prefix("uuid:").map(|rest| rest.split_once(' ').unwrap_or((rest, "")));
        let (job, line) = match given {
            Some((job, line)) => (job.to_owned(), line),
            None => (uuid::Uuid::new_v4().to_string(), call.args),
        };
        if line.is_empty() {
            return "-ERR Invalid syntax\n".into();
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return "-ERR no background jobs here\n".into();
        };
        let answer = format!("+OK Job-UUID: {job}\n");
        runtime.spawn(run(self.0.clone(), call.registry.clone(), job, line.to_owned()));
        answer.into()
    }
}
