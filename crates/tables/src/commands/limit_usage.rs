//! `limit_usage`: how much a resource is used. FreeSWITCH mod_commands.c limit_usage_function.

use chappe_api::{Answer, Row};

use super::usage;
use crate::{COMMANDS_MODULE, Tables};

pub(super) const ROW: Row = Row {
    name: "limit_usage",
    syntax: "<backend> <realm> <id> [rate]",
    doc: "Get the usage count of a limited resource",
    module: COMMANDS_MODULE,
};

pub(super) fn run(args: &str, tables: &Tables) -> Answer {
    let words: Vec<&str> = args.split_whitespace().collect();
    match words.as_slice() {
        // Without a backend FreeSWITCH means this one.
        [realm, id] => used("db", realm, id, false, tables),
        [backend, realm, id, rest @ ..] => {
            let rate = rest.first().is_some_and(|word| word.eq_ignore_ascii_case("rate"));
            used(backend, realm, id, rate, tables)
        }
        _ => usage(&ROW, ROW.syntax),
    }
}

fn used(backend: &str, realm: &str, id: &str, rate: bool, tables: &Tables) -> Answer {
    let limits = tables.limits(backend);
    if limits.is_none() {
        tracing::error!("Limit subsystem {backend} not found!");
    }
    let used = limits.map(|limits| limits.usage(realm, id, tables.now())).unwrap_or_default();
    if rate { format!("{}/{}", used.usage, used.rate).into() } else { used.usage.to_string().into() }
}
