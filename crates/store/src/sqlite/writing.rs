//! One transaction, while it is being written.

use std::cell::Cell;

use rusqlite::Connection;

use super::fault::Fault;
use super::row::number;
use crate::State;

/// What changes work with: the connection, and what is written once a transaction for all of them.
pub struct Writing {
    pub connection: Connection,
    /// The place of the last message.
    last: Cell<i64>,
    /// By how much the number of messages in each state has changed.
    counts: [Cell<i64>; State::ALL.len()],
}

impl Writing {
    pub fn new(connection: Connection) -> Result<Self, Fault> {
        let last = connection.query_row("SELECT ifnull(max(place), 0) FROM message", [], |row| row.get(0))?;
        Ok(Self { connection, last: Cell::new(last), counts: Default::default() })
    }

    /// The place behind the last message's.
    pub fn next_place(&self) -> i64 {
        self.last.get() + 1
    }

    /// A message is there now, at the next place. One that is rolled back leaves a gap.
    pub fn placed(&self, state: State) {
        self.last.set(self.next_place());
        self.count(state, 1);
    }

    pub fn moved(&self, from: State, to: State) {
        self.count(from, -1);
        self.count(to, 1);
    }

    pub fn count(&self, state: State, change: i64) {
        let count = &self.counts[state as usize];
        count.set(count.get() + change);
    }

    pub fn begin(&self) -> Result<(), Fault> {
        self.counts.iter().for_each(|count| count.set(0));
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop)
    }

    /// Writes the counts, as whoever reads within the transaction wants them.
    pub fn settle(&self) -> Result<(), Fault> {
        for state in State::ALL {
            let change = self.counts[state as usize].take();
            if change != 0 {
                let mut update = self
                    .connection
                    .prepare_cached("UPDATE count SET messages = messages + ?1 WHERE state = ?2")?;
                update.execute([change, number(state)])?;
            }
        }
        Ok(())
    }

    /// Everything since [`begin`](Self::begin) is on the disk.
    pub fn commit(&self) -> Result<(), Fault> {
        self.settle()?;
        self.connection.prepare_cached("COMMIT")?.execute([]).map(drop)
    }

    /// Nothing since [`begin`](Self::begin) has happened.
    pub fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // SQLite rolls back by itself where this fails.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}
