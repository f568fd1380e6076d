//! The apps, one a file.

mod db;
mod hash;
mod limit;

use std::sync::Arc;

use chappe_chat::{App, AppRow};

use crate::Tables;

/// Their rows.
pub fn rows() -> [AppRow; 3] {
    [db::ROW, hash::ROW, limit::ROW]
}

pub(crate) fn of_module(module: &str, tables: &Arc<Tables>) -> impl Iterator<Item = Arc<dyn App>> {
    let all: [Arc<dyn App>; 3] = [
        Arc::new(db::Db(tables.clone())),
        Arc::new(hash::Hash(tables.clone())),
        Arc::new(limit::LimitApp(tables.clone())),
    ];
    all.into_iter().filter(move |app| app.row().module == module)
}
