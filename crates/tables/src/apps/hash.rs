//! `hash`: keeps or deletes a value in the table in memory. FreeSWITCH mod_hash.c hash_function.

use std::sync::Arc;

use chappe_api::separate;
use chappe_chat::{App, AppRow, Outcome, Ran, Router};
use chappe_event::Event;

use crate::{HASH_MODULE, HashTable, Tables};

pub(super) struct Hash(pub(super) Arc<Tables>);

pub(super) const ROW: AppRow = AppRow {
    name: "hash",
    syntax: "[insert|insert_ifempty|delete|delete_ifmatch]/<realm>/<key>/<val>",
    doc: "Keep a value in memory, or delete it; `${hash(select/<realm>/<key>)}` reads it.",
    takes: false,
    module: HASH_MODULE,
};

impl App for Hash {
    fn row(&self) -> &AppRow {
        &ROW
    }

    /// What can't be kept is logged; the chatplan goes on, as in FreeSWITCH.
    fn run<'a>(&'a self, _: &'a mut Event, data: Option<&'a str>, _: &'a Arc<Router>) -> Ran<'a> {
        if let Some(hash) = self.0.hash() {
            change(&hash.table, data.unwrap_or_default());
        }
        Ran::Now(Outcome::Continue)
    }
}

fn change(table: &HashTable, data: &str) {
    let fields = separate(data, '/', 4);
    let usage = || tracing::warn!("USAGE: hash {}", ROW.syntax);
    let [verb, realm, key, value @ ..] = fields.as_slice() else { return usage() };
    let kept = match (verb.to_ascii_lowercase().as_str(), value.first()) {
        ("insert", Some(value)) => table.insert(realm, key, value),
        ("insert_ifempty", Some(value)) => table.insert_if_empty(realm, key, value).map(drop),
        ("delete", _) => {
            table.delete(realm, key);
            Ok(())
        }
        ("delete_ifmatch", Some(value)) => {
            table.delete_if_match(realm, key, value);
            Ok(())
        }
        _ => return usage(),
    };
    if let Err(error) = kept {
        tracing::error!("hash: {realm}/{key} is not kept: {error}");
    }
}
