//! `hash`: the table in memory. FreeSWITCH mod_hash.c hash_api_function.

use chappe_api::{Answer, Row, separate};

use super::failed;
use crate::{HASH_MODULE, HashTable, Tables};

pub(super) const ROW: Row = Row {
    name: "hash",
    syntax: "[insert|insert_ifempty|delete|delete_ifmatch|select]/<realm>/<key>/<value>",
    doc: "hash get/set",
    module: HASH_MODULE,
};

const USAGE: &str = "-ERR Usage: hash insert|insert_ifempty|select|delete|delete_ifmatch/realm/key[/value]\n";

pub(super) fn run(args: &str, tables: &Tables) -> Answer {
    match tables.hash() {
        Some(hash) => answer(args, &hash.table).into(),
        None => "-ERR mod_hash is not loaded\n".into(),
    }
}

fn answer(args: &str, table: &HashTable) -> String {
    let fields = separate(args, '/', 4);
    let [verb, realm, key, value @ ..] = fields.as_slice() else { return USAGE.to_owned() };
    let text = match (verb.to_ascii_lowercase().as_str(), value.first()) {
        ("insert", Some(value)) => match table.insert(realm, key, value) {
            Ok(()) => "+OK\n",
            Err(error) => return failed(&error),
        },
        ("insert_ifempty", Some(value)) => match table.insert_if_empty(realm, key, value) {
            Ok(true) => "+OK\n",
            Ok(false) => "-ERR key already exists\n",
            Err(error) => return failed(&error),
        },
        ("delete", _) if table.delete(realm, key) => "+OK\n",
        ("delete", _) => "-ERR Not found\n",
        ("delete_ifmatch", Some(value)) => match table.delete_if_match(realm, key, value) {
            Some(true) => "+OK\n",
            Some(false) => "-ERR Doesn't match\n",
            None => "-ERR Not found\n",
        },
        ("select", _) => return table.get(realm, key).unwrap_or_default(),
        _ => USAGE,
    };
    text.to_owned()
}
