//! `limit_hash_usage`: `limit_usage hash`, by its old name.

use chappe_api::{Answer, Row};

use super::{limit_usage, usage};
use crate::{COMMANDS_MODULE, Tables};

pub(super) const ROW: Row = Row {
    name: "limit_hash_usage",
    syntax: "<realm> <id> [rate]",
    doc: "Deprecated: gets the usage count of a limited resource",
    module: COMMANDS_MODULE,
};

const SYNTAX: &str = "<realm> <id> [rate] (Using deprecated limit api, check limit_usage with backend param)";

pub(super) fn run(args: &str, tables: &Tables) -> Answer {
    match args {
        "" => usage(&ROW, SYNTAX),
        args => limit_usage::run(&format!("hash {args}"), tables),
    }
}
