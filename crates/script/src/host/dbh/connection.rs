//! Connections, and those that wait to be used again.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::dsn::Dsn;
use super::{pgsql, sqlite};
use crate::{Run, Value};

/// Connections of one database that are kept, and databases.
const KEPT: usize = 8;
const DATABASES: usize = 32;
/// The rows one query may give.
pub(super) const MAX_ROWS: usize = 100_000;

/// What a query gave: records.
pub(super) type Rows = Vec<Value>;

/// One connection.
pub(super) struct Connection {
    dsn: Dsn,
    kind: Kind,
}

enum Kind {
    Sqlite(sqlite::Connection),
    Pgsql(pgsql::Connection),
}

/// Connections that nobody uses at the moment.
#[derive(Default)]
pub(crate) struct Connections(Mutex<HashMap<Dsn, Vec<Kind>>>);

impl Connection {
    pub(super) fn open(run: &Run, dsn: Dsn) -> Result<Self, String> {
        let kept = run.world().connections.0.lock().get_mut(&dsn).and_then(Vec::pop);
        let kind = match (kept, &dsn) {
            (Some(kind), _) if kind.is_alive() => kind,
            (_, Dsn::Sqlite(path)) => Kind::Sqlite(sqlite::Connection::open(path)?),
            (_, Dsn::Pgsql(parameters)) => Kind::Pgsql(pgsql::Connection::open(run, parameters)?),
        };
        Ok(Self { dsn, kind })
    }

    pub(super) fn query(&mut self, run: &Run, sql: &str) -> Result<Rows, String> {
        match &mut self.kind {
            Kind::Sqlite(connection) => connection.query(run, sql),
            Kind::Pgsql(connection) => connection.query(run, sql),
        }
    }

    /// The rows that the last query changed.
    pub(super) fn affected(&self) -> u64 {
        match &self.kind {
            Kind::Sqlite(connection) => connection.affected(),
            Kind::Pgsql(connection) => connection.affected(),
        }
    }

    /// Keeps the connection for the next who asks, unless enough are kept or a transaction is open.
    pub(super) fn give_back(self, run: &Run) {
        if !self.kind.is_clean() {
            return;
        }
        let mut kept = run.world().connections.0.lock();
        if kept.len() >= DATABASES && !kept.contains_key(&self.dsn) {
            return;
        }
        let list = kept.entry(self.dsn).or_default();
        if list.len() < KEPT {
            list.push(self.kind);
        }
    }
}

impl Kind {
    fn is_alive(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Pgsql(connection) => connection.is_alive(),
        }
    }

    fn is_clean(&self) -> bool {
        match self {
            Self::Sqlite(connection) => connection.is_clean(),
            Self::Pgsql(connection) => connection.is_alive() && connection.is_clean(),
        }
    }
}
