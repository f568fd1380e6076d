//! `db`: keeps or deletes a value in the table on disk. FreeSWITCH mod_db.c db_function.

use std::sync::Arc;

use chappe_api::separate;
use chappe_chat::{App, AppRow, Outcome, Ran, Router};
use chappe_event::Event;

use crate::tables::Db as Opened;
use crate::{DB_MODULE, TableError, Tables};

pub(super) struct Db(pub(super) Arc<Tables>);

pub(super) const ROW: AppRow = AppRow {
    name: "db",
    syntax: "[insert|delete]/<realm>/<key>/<val>",
    doc: "Keep a value on disk, or delete it; `${db(select/<realm>/<key>)}` reads it.",
    takes: false,
    module: DB_MODULE,
};

impl App for Db {
    fn row(&self) -> &AppRow {
        &ROW
    }

    /// The next action runs once the value is kept. What can't be kept is logged; the chatplan goes on, as in
    /// FreeSWITCH.
    fn run<'a>(&'a self, _: &'a mut Event, data: Option<&'a str>, _: &'a Arc<Router>) -> Ran<'a> {
        let Some(db) = self.0.db() else { return Ran::Now(Outcome::Continue) };
        let data = data.unwrap_or_default();
        Ran::Later(Box::pin(async move {
            if let Err(error) = change(&db, data).await {
                tracing::error!("db: {data} failed: {error}");
            }
            Outcome::Continue
        }))
    }
}

async fn change(db: &Opened, data: &str) -> Result<(), TableError> {
    let fields = separate(data, '/', 4);
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    match fields.as_slice() {
        [verb, realm, key, value] if verb.eq_ignore_ascii_case("insert") => {
            db.database.insert(realm, key, value).await
        }
        [verb, realm, key, ..] if verb.eq_ignore_ascii_case("delete") => db.database.delete(realm, key).await,
        _ => {
            tracing::warn!("USAGE: db {}", ROW.syntax);
            Ok(())
        }
    }
}
