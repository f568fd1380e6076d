//! `limit_reset`: forgets a backend's counters. FreeSWITCH mod_commands.c limit_reset_function.

use chappe_api::{Answer, Row};

use super::usage;
use crate::{COMMANDS_MODULE, Tables};

pub(super) const ROW: Row = Row {
    name: "limit_reset",
    syntax: "<backend>",
    doc: "Reset the counters of a limit backend",
    module: COMMANDS_MODULE,
};

/// Deviation: `hash` can be reset as well as `db`.
pub(super) fn run(args: &str, tables: &Tables) -> Answer {
    let Some(backend) = args.split_whitespace().next() else { return usage(&ROW, ROW.syntax) };
    match tables.limits(backend) {
        Some(limits) => {
            limits.reset();
            "+OK".into()
        }
        None => {
            tracing::error!("Limit subsystem {backend} not found!");
            "-ERR".into()
        }
    }
}
