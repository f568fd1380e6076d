//! SQLite.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Statement};

use super::connection::{MAX_ROWS, Rows};
use crate::{Run, Value};

/// How long a writer waits for another.
const BUSY: Duration = Duration::from_secs(5);
/// SQLite's instructions between two looks at the clock.
const LOOK: i32 = 10_000;

pub(super) struct Connection {
    sqlite: rusqlite::Connection,
    affected: u64,
}

impl Connection {
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let sqlite = rusqlite::Connection::open(path).map_err(|error| error.to_string())?;
        sqlite.busy_timeout(BUSY).map_err(|error| error.to_string())?;
        Ok(Self { sqlite, affected: 0 })
    }

    pub(super) fn query(&mut self, run: &Run, sql: &str) -> Result<Rows, String> {
        let (until, world) = (run.until(), run.world().clone());
        let over = move || world.is_stopping() || until.is_some_and(|until| Instant::now() >= until);
        self.limit(Some(over))?;
        let rows = self.run(sql);
        self.limit(None::<fn() -> bool>)?;
        rows.map_err(|error| told(&error))
    }

    pub(super) fn affected(&self) -> u64 {
        self.affected
    }

    /// No transaction is open.
    pub(super) fn is_clean(&self) -> bool {
        self.sqlite.is_autocommit()
    }

    fn limit(&mut self, over: Option<impl FnMut() -> bool + Send + 'static>) -> Result<(), String> {
        self.sqlite.progress_handler(LOOK, over).map_err(|error| error.to_string())
    }

    /// All statements, one after the other.
    fn run(&mut self, sql: &str) -> rusqlite::Result<Rows> {
        let before = self.sqlite.total_changes();
        let mut rows = Rows::new();
        let mut statements = Batch::new(&self.sqlite, sql);
        while let Some(mut statement) = statements.next()? {
            collect(&mut statement, &mut rows)?;
        }
        self.affected = self.sqlite.total_changes().saturating_sub(before);
        Ok(rows)
    }
}

fn collect(statement: &mut Statement<'_>, rows: &mut Rows) -> rusqlite::Result<()> {
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut answer = statement.raw_query();
    while let Some(row) = answer.next()? {
        if rows.len() >= MAX_ROWS {
            tracing::error!("A query gives more than {MAX_ROWS} rows, the rest is left out");
            return Ok(());
        }
        let mut record = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            record.push((name.clone(), text(row.get_ref(at)?)));
        }
        rows.push(Value::Record(record));
    }
    Ok(())
}

/// SQLite's own words.
fn told(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } | rusqlite::Error::SqliteFailure(_, Some(msg)) => {
            msg.clone()
        }
        other => other.to_string(),
    }
}

/// FreeSWITCH gives every column as a text, NULL as an empty one.
fn text(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => "".into(),
        ValueRef::Integer(number) => number.to_string().into(),
        ValueRef::Real(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            format!("{number:.1}").into()
        }
        ValueRef::Real(number) => number.to_string().into(),
        ValueRef::Text(octets) | ValueRef::Blob(octets) => Value::Text(bytes::Bytes::copy_from_slice(octets)),
    }
}
