//! The API commands, one a file: its row and what runs it.

mod db;
mod group;
mod hash;
mod hash_dump;
mod limit_hash_usage;
mod limit_interval_reset;
mod limit_reset;
mod limit_status;
mod limit_usage;

use std::future::Future;
use std::sync::Arc;

use chappe_api::{Answer, Call, Command, Row};

use crate::{TableError, Tables};

type Run = fn(&str, &Tables) -> Answer;

const COMMANDS: &[(&Row, Run)] = &[
    (&db::ROW, db::run),
    (&group::ROW, group::run),
    (&hash::ROW, hash::run),
    (&hash_dump::ROW, hash_dump::run),
    (&limit_hash_usage::ROW, limit_hash_usage::run),
    (&limit_interval_reset::ROW, limit_interval_reset::run),
    (&limit_reset::ROW, limit_reset::run),
    (&limit_status::ROW, limit_status::run),
    (&limit_usage::ROW, limit_usage::run),
];

/// Their rows.
pub fn rows() -> impl Iterator<Item = Row> {
    COMMANDS.iter().map(|(row, _)| **row)
}

pub(crate) fn of_module(module: &str, tables: &Arc<Tables>) -> impl Iterator<Item = Arc<OfTables>> {
    let rows = COMMANDS.iter().filter(move |(row, _)| row.module == module);
    rows.map(|&(row, run)| Arc::new(OfTables { row, run, tables: tables.clone() }))
}

pub(crate) struct OfTables {
    row: &'static Row,
    run: Run,
    tables: Arc<Tables>,
}

impl Command for OfTables {
    fn row(&self) -> &Row {
        self.row
    }

    fn run(&self, call: Call<'_>) -> Answer {
        (self.run)(call.args, &self.tables)
    }
}

/// The text that a database's answer makes; what goes wrong is told.
fn later<T>(
    asked: impl Future<Output = Result<T, TableError>> + Send + 'static,
    text: impl FnOnce(T) -> String + Send + 'static,
) -> Answer {
    Answer::Later(Box::pin(async move {
        match asked.await {
            Ok(answer) => text(answer),
            Err(error) => failed(&error),
        }
    }))
}

fn failed(error: &TableError) -> String {
    format!("-ERR {error}\n")
}

/// The words of `USAGE: ...` that the commands about limits have.
fn usage(row: &Row, syntax: &str) -> Answer {
    format!("USAGE: {} {syntax}\n", row.name).into()
}
