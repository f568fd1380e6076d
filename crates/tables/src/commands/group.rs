//! `group`: groups of addresses in the table on disk. FreeSWITCH mod_db.c group_api_function.

use chappe_api::{Answer, Row, separate};

use super::later;
use crate::{DB_MODULE, Tables};

pub(super) const ROW: Row = Row {
    name: "group",
    syntax: "[insert|delete|call]:<group name>:<url>",
    doc: "group [insert|delete|call]",
    module: DB_MODULE,
};

const WRONG: &str = "!err!";

/// Deviation: an address goes to the end of the line, where FreeSWITCH ends it at its next colon.
pub(super) fn run(args: &str, tables: &Tables) -> Answer {
    let Some(db) = tables.db() else { return "-ERR mod_db is not loaded\n".into() };
    let database = &db.database;
    let fields = separate(args, ':', 3);
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let Some((verb, rest)) = fields.split_first() else { return WRONG.into() };
    match (verb.to_ascii_lowercase().as_str(), rest) {
        ("insert", [group, url]) => later(database.group_insert(group, url), done),
        ("delete", [group, "*"]) => later(database.group_delete(group, None), done),
        ("delete", [group, url]) => later(database.group_delete(group, Some(url)), done),
        ("call", [group, how @ ..]) => {
            let between = between(how.first().copied().unwrap_or_default());
            later(database.group(group), move |urls| urls.join(between))
        }
        _ => WRONG.into(),
    }
}

/// What stands between addresses: all at once, one after the other, or each by itself.
fn between(how: &str) -> &'static str {
    match how.to_ascii_lowercase().as_str() {
        "order" => "|",
        "multi" => ":_:",
        _ => ",",
    }
}

fn done((): ()) -> String {
    "+OK".to_owned()
}
