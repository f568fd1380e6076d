//! `expand`: expands the variables and calls in a command's arguments, then runs it.

use std::sync::Arc;

use chappe_event::{Event, EventName};

use super::{Deps, expansion};
use crate::{Answer, Call, Registry, Row};

pub(super) const ROW: Row = Row {
    name: "expand",
    syntax: "[uuid:<uuid> ]<cmd> <args>",
    doc: "Execute an api with variable expansion",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, deps: &Deps) -> Answer {
    let line = expansion::without_uuid(call.args);
    if line.is_empty() {
        return "-ERR No input\n".into();
    }
    let (name, args) = line.split_once(' ').unwrap_or((line, ""));
    let event = call.event.cloned().unwrap_or_else(|| Event::new(EventName::Api));
    match expansion::expand(args, event, call.registry, deps) {
        Answer::Ready(args) => execute(call.registry, name, &args),
        Answer::Later(args) => {
            let (registry, name) = (call.registry.clone(), name.to_owned());
            Answer::Later(Box::pin(async move {
                let args = args.await;
                execute(&registry, &name, &args).text().await
            }))
        }
    }
}

fn execute(registry: &Arc<Registry>, name: &str, args: &str) -> Answer {
    let unknown = || "INVALID COMMAND!\n-ERR Cannot execute command\n".into();
    registry.run(name, args, None).unwrap_or_else(unknown)
}
