//! `${...}` in a command's own text, run to its end: calls of other commands in it are made here.

use std::sync::Arc;

use chappe_event::{Event, Expand, ExpandRules, Expansion};

use super::Deps;
use crate::{Answer, Registry};

/// What follows `uuid:UUID `, which names a call in FreeSWITCH; there are none here.
pub(super) fn without_uuid(text: &str) -> &str {
    let marked = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("uuid:"));
    if marked { text.split_once(' ').map_or("", |(_, rest)| rest) } else { text }
}

/// Expands `text` on `event`; waits only when a command called in it does.
pub(super) fn expand(text: &str, event: Event, registry: &Arc<Registry>, deps: &Deps) -> Answer {
    let mut expansion = Expansion::new(text, ExpandRules { body_alias: false });
    let mut answer = None;
    loop {
        let (command, args) = match expansion.next(&event, &deps.globals, answer) {
            Expand::Done(text) => return Answer::Ready(text),
            Expand::Api { command, args } => (command, args),
        };
        match call(registry, &command, &args, &event) {
            Answer::Ready(text) => answer = Some(text),
            Answer::Later(later) => {
                let (registry, globals) = (registry.clone(), deps.globals.clone());
                return Answer::Later(Box::pin(async move {
                    let mut answer = Some(later.await);
                    loop {
                        let (command, args) = match expansion.next(&event, &globals, answer) {
                            Expand::Done(text) => return text,
                            Expand::Api { command, args } => (command, args),
                        };
                        answer = Some(call(&registry, &command, &args, &event).text().await);
                    }
                }));
            }
        }
    }
}

/// In an expansion a command that does not exist is nothing.
fn call(registry: &Arc<Registry>, command: &str, args: &str, event: &Event) -> Answer {
    registry.run(command, args, Some(event)).unwrap_or_else(|| Answer::Ready(String::new()))
}
