//! `limit_interval_reset`: begins a resource's interval anew. FreeSWITCH mod_commands.c
//! limit_interval_reset_function.

use chappe_api::{Answer, Row};

use super::usage;
use crate::{COMMANDS_MODULE, Tables};

pub(super) const ROW: Row = Row {
    name: "limit_interval_reset",
    syntax: "<backend> <realm> <resource>",
    doc: "Reset the interval counter for a limited resource",
    module: COMMANDS_MODULE,
};

/// FreeSWITCH answers `+OK` whatever the backend does.
pub(super) fn run(args: &str, tables: &Tables) -> Answer {
    let words: Vec<&str> = args.split_whitespace().collect();
    let [backend, realm, resource, ..] = words.as_slice() else { return usage(&ROW, ROW.syntax) };
    match tables.limits(backend) {
        Some(limits) => limits.reset_interval(realm, resource, tables.now()),
        None => tracing::error!("Limit subsystem {backend} not found!"),
    }
    "+OK".into()
}
