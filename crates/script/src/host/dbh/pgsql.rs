//! PostgreSQL.

use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::connection::{MAX_ROWS, Rows};
use crate::{Run, Value};

pub(super) struct Connection {
    client: Client,
    affected: u64,
    /// A transaction was begun and not ended, as far as can be told.
    open: bool,
}

impl Connection {
    pub(super) fn open(run: &Run, parameters: &str) -> Result<Self, String> {
        let (client, connection) = run
            .wait(tokio_postgres::connect(parameters, NoTls))
            .map_err(|error| error.to_string())?
            .map_err(|error| told(&error))?;
        run.world().runtime().spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!("a connection to PostgreSQL ended: {error}");
            }
        });
        Ok(Self { client, affected: 0, open: false })
    }

    pub(super) fn query(&mut self, run: &Run, sql: &str) -> Result<Rows, String> {
        let word = sql.split_whitespace().next().unwrap_or_default();
        if ["begin", "start"].iter().any(|begin| word.eq_ignore_ascii_case(begin)) {
            self.open = true;
        } else if ["commit", "rollback", "end"].iter().any(|end| word.eq_ignore_ascii_case(end)) {
            self.open = false;
        }
        let answer = run.wait(self.client.simple_query(sql)).map_err(|error| error.to_string())?;
        let mut rows = Rows::new();
        for message in answer.map_err(|error| told(&error))? {
            match message {
                SimpleQueryMessage::Row(row) if rows.len() < MAX_ROWS => rows.push(record(&row)),
                SimpleQueryMessage::CommandComplete(affected) => self.affected = affected,
                _ => {}
            }
        }
        Ok(rows)
    }

    pub(super) fn affected(&self) -> u64 {
        self.affected
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.client.is_closed()
    }

    pub(super) fn is_clean(&self) -> bool {
        !self.open
    }
}

/// FreeSWITCH gives NULL as an empty text.
fn record(row: &tokio_postgres::SimpleQueryRow) -> Value {
    let columns = row.columns().iter().enumerate();
    Value::Record(
        columns
            .map(|(at, column)| (column.name().to_owned(), Value::from(row.get(at).unwrap_or_default())))
            .collect(),
    )
}

/// The server's words, where it has some.
fn told(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}
