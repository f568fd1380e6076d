//! `db.conf`.

use chappe_config::{Diagnostics, Document, ParamRow, read_params};

/// The params of `db.conf`.
pub const PARAMS: &[ParamRow] =
    &[ParamRow::ignored("odbc-dsn", "the tables are in the SQLite file call_limit.db of the folder db_dir")];

/// Reports what `db.conf` says that nobody heeds.
pub fn check(document: &Document, diagnostics: &mut Diagnostics) {
    let settings =
        document.configuration("db.conf").and_then(|configuration| configuration.child("settings"));
    if let Some(settings) = settings {
        read_params(settings, PARAMS, diagnostics);
    }
}
