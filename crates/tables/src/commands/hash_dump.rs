//! `hash_dump`: all that mod_hash keeps. FreeSWITCH mod_hash.c hash_dump_function.

use std::fmt::Write;

use chappe_api::{Answer, Row};

use crate::tables::Hash;
use crate::{HASH_MODULE, Tables};

pub(super) const ROW: Row = Row {
    name: "hash_dump",
    syntax: "all|limit|db [<realm>]",
    doc: "dump hash/limit_hash data (used for synchronization)",
    module: HASH_MODULE,
};

pub(super) fn run(args: &str, tables: &Tables) -> Answer {
    let words: Vec<&str> = args.split_whitespace().collect();
    let Some(hash) = tables.hash() else { return "-ERR mod_hash is not loaded\n".into() };
    let realm = words.get(1).filter(|_| words.len() == 2).map(|realm| format!("{realm}_"));
    let mut text = String::new();
    match words.first().copied() {
        Some("all") => {
            limits(&hash, tables.now(), &mut text);
            entries(&hash, realm.as_deref(), &mut text);
        }
        Some("limit") => limits(&hash, tables.now(), &mut text),
        Some("db") => entries(&hash, realm.as_deref(), &mut text),
        _ => return format!("Usage: {}\n", ROW.syntax).into(),
    }
    text.into()
}

fn limits(hash: &Hash, now: i64, text: &mut String) {
    for line in hash.limits.list(now) {
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "L/{}/{}/{}/{}/{}",
            line.name, line.usage.usage, line.usage.rate, line.interval, line.since
        );
    }
}

/// FreeSWITCH looks for the realm anywhere in the name.
fn entries(hash: &Hash, realm: Option<&str>, text: &mut String) {
    for (name, value) in hash.table.list() {
        if realm.is_none_or(|realm| name.contains(realm)) {
            let _ = writeln!(text, "D/{name}/{value}");
        }
    }
}
