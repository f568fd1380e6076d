//! `db`: the table on disk. FreeSWITCH mod_db.c db_api_function.

use chappe_api::{Answer, Row, separate};

use super::later;
use crate::{DB_MODULE, Tables};

pub(super) const ROW: Row = Row {
    name: "db",
    syntax: "[insert|delete|select|exists|count|list]/<realm>/<key>/<value>",
    doc: "db get/set",
    module: DB_MODULE,
};

const WRONG: &str = "!err!";

pub(super) fn run(args: &str, tables: &Tables) -> Answer {
    let Some(db) = tables.db() else { return "-ERR mod_db is not loaded\n".into() };
    let database = &db.database;
    let fields = separate(args, '/', 4);
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let Some((verb, rest)) = fields.split_first() else { return WRONG.into() };
    match (verb.to_ascii_lowercase().as_str(), rest) {
        ("insert", [realm, key, value]) => later(database.insert(realm, key, value), done),
        // Without a key FreeSWITCH means the empty one.
        ("delete", [realm, rest @ ..]) => {
            later(database.delete(realm, rest.first().copied().unwrap_or_default()), done)
        }
        ("select", [realm, key, ..]) => later(database.select(realm, key), Option::unwrap_or_default),
        ("exists", [realm, key, ..]) => later(database.select(realm, key), |value| {
            value.is_some_and(|value| !value.is_empty()).to_string()
        }),
        ("count", [] | [_]) => later(database.count(rest.first().copied()), |count| count.to_string()),
        ("list", [] | [_]) => later(database.list(rest.first().copied()), |names| names.join(",")),
        _ => WRONG.into(),
    }
}

fn done((): ()) -> String {
    "+OK".to_owned()
}
