//! `limit_status`: what a backend says of itself. FreeSWITCH mod_commands.c limit_status_function.

use chappe_api::{Answer, Row};

use super::usage;
use crate::{COMMANDS_MODULE, Tables};

pub(super) const ROW: Row = Row {
    name: "limit_status",
    syntax: "<backend>",
    doc: "Get the status of a limit backend",
    module: COMMANDS_MODULE,
};

/// Deviation: `hash` answers too, in the words that FreeSWITCH has for it and does not use.
pub(super) fn run(args: &str, tables: &Tables) -> Answer {
    let Some(backend) = args.split_whitespace().next() else { return usage(&ROW, ROW.syntax) };
    match (tables.limits(backend), backend) {
        (Some(limits), "hash") => format!("There are {} elements being tracked.", limits.len()).into(),
        (Some(limits), _) => {
            format!("Tracking {} resources for hostname {}.", limits.len(), tables.host).into()
        }
        (None, _) => {
            tracing::error!("Limit subsystem {backend} not found!");
            "-ERR".into()
        }
    }
}
