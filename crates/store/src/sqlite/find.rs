//! What is read.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::fault::Fault;
use super::row::{self, COLUMNS, Key};
use super::{attempts, event};
use crate::{Counts, Filter, Line, MessageId, Micros, Record, State, Summary};

/// A message whose row or payload is not what was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damaged {
    pub place: i64,
    /// What the log calls it.
    pub name: Box<str>,
}

/// What was found, and what of it has to be refused.
pub type Found<T> = Result<(T, Vec<Damaged>), Fault>;

pub fn waiting(
    connection: &Connection,
    recipient: &str,
    now: Micros,
    after: i64,
    limit: usize,
) -> Found<Vec<Record>> {
    let which = "state = 1 AND recipient = ?1 AND not_before <= ?2 AND message.place > ?3 ORDER BY message.place LIMIT ?4";
    records(connection, which, params![recipient, now, after, bound(limit)])
}

pub fn accepted(connection: &Connection, after: i64, limit: usize) -> Found<Vec<Record>> {
    records(
        connection,
        "state = 0 AND message.place > ?1 ORDER BY message.place LIMIT ?2",
        params![after, bound(limit)],
    )
}

/// Unfinished messages whose time is over, in their order.
pub fn over(connection: &Connection, now: Micros, limit: usize) -> Found<Vec<Record>> {
    let which = "state < 2 AND expires <= ?1 ORDER BY expires LIMIT ?2";
    let (mut over, damaged) = records(connection, which, params![now, bound(limit)])?;
    over.sort_unstable_by_key(|record| record.summary.place);
    Ok((over, damaged))
}

pub fn get(connection: &Connection, key: &Key) -> Found<Option<Record>> {
    let (mut found, damaged) = records(connection, "id = ?1", params![key])?;
    Ok((found.pop(), damaged))
}

fn records(connection: &Connection, which: &str, parameters: impl Params) -> Found<Vec<Record>> {
    let sql = format!("SELECT {COLUMNS}, octets FROM message LEFT JOIN payload USING (place) WHERE {which}");
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query(parameters)?;
    let (mut found, mut damaged) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        match record(row)? {
            Some(record) => found.push(record),
            None => damaged.push(self::damaged(row)?),
        }
    }
    for record in &mut found {
        attempts::fill(connection, &mut record.summary)?;
    }
    Ok((found, damaged))
}

fn record(row: &Row<'_>) -> Result<Option<Record>, Fault> {
    let Some((key, summary)) = row::summary(row)? else { return Ok(None) };
    if summary.state.is_final() {
        return Ok(Some(Record { summary, message: None }));
    }
    let octets = row.get_ref(12)?.as_blob().ok();
    let message = octets.and_then(|octets| event::decode(octets, key.octets()));
    Ok(message.map(|message| Record { summary, message: Some(message) }))
}

fn damaged(row: &Row<'_>) -> Result<Damaged, Fault> {
    Ok(Damaged { place: row.get(0)?, name: row::name(row).into() })
}

/// Ascending by place. The indexes are of one kind of state each: a recipient's messages are looked for in all of them.
pub fn list(connection: &Connection, filter: &Filter, after: i64, limit: usize) -> Found<Vec<Summary>> {
    let kinds: &[&str] = match (&filter.recipient, filter.state) {
        (_, Some(State::Accepted)) => &["state = 0"],
        (_, Some(State::Waiting)) => &["state = 1"],
        (Some(_), Some(_)) => &["state >= 2"],
        (Some(_), None) => &["state = 0", "state = 1", "state >= 2"],
        (None, _) => &["TRUE"],
    };
    let mut found = Vec::new();
    for kind in kinds {
        let sql = format!(
            "SELECT {COLUMNS} FROM message WHERE {kind} AND message.place > ?1 AND (?2 IS NULL OR state = ?2)
             {} {} ORDER BY message.place LIMIT ?5",
            if filter.recipient.is_some() { "AND recipient = ?3" } else { "AND ?3 IS NULL" },
            if filter.sender.is_some() { "AND sender = ?4" } else { "AND ?4 IS NULL" },
        );
        let state = filter.state.map(row::number);
        let mut select = connection.prepare_cached(&sql)?;
        let mut rows = select.query(params![after, state, filter.recipient, filter.sender, bound(limit)])?;
        while let Some(row) = rows.next()? {
            match row::summary(row)? {
                Some((_, summary)) => found.push(summary),
                None => tracing::error!("message {} is damaged in the store", row::name(row)),
            }
        }
    }
    found.sort_unstable_by_key(|summary| summary.place);
    found.truncate(limit);
    for summary in &mut found {
        attempts::fill(connection, summary)?;
    }
    Ok((found, Vec::new()))
}

pub fn lines(connection: &Connection) -> Found<Vec<Line>> {
    let mut select = connection.prepare_cached(
        "SELECT recipient, count(*), min(not_before) FROM message WHERE state = 1 GROUP BY recipient",
    )?;
    let mut rows = select.query([])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        // One that is no text is damaged: there is no such recipient.
        let Ok(recipient) = row.get_ref(0)?.as_str() else { continue };
        lines.push(Line { recipient: recipient.into(), count: count(row, 1)?, not_before: row.get(2)? });
    }
    Ok((lines, Vec::new()))
}

pub fn become_due(connection: &Connection, after: Micros, until: Micros) -> Found<Vec<Arc<str>>> {
    // The index is of times above 0, since most messages have none: whoever asks for others as well pays for it.
    let which = if after < 0 { "" } else { "AND not_before > 0" };
    let mut select = connection.prepare_cached(&format!(
        "SELECT DISTINCT recipient FROM message
         WHERE state = 1 {which} AND not_before > ?1 AND not_before <= ?2 ORDER BY recipient"
    ))?;
    let mut rows = select.query([after, until])?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        due.extend(row.get_ref(0)?.as_str().ok().map(Arc::from));
    }
    Ok((due, Vec::new()))
}

pub fn counts(connection: &Connection) -> Found<Counts> {
    let mut select = connection.prepare_cached("SELECT state, messages FROM count")?;
    let mut rows = select.query([])?;
    let mut counts = Counts::default();
    while let Some(row) = rows.next()? {
        if let Some(state) = row::state(row.get(0)?) {
            counts.set(state, count(row, 1)?);
        }
    }
    Ok((counts, Vec::new()))
}

/// The names of the latest messages, back to `since`.
pub fn recent(connection: &Connection, since: Micros, limit: usize) -> Found<Vec<MessageId>> {
    let mut select =
        connection.prepare_cached("SELECT id, accepted FROM message ORDER BY place DESC LIMIT ?1")?;
    let mut rows = select.query([bound(limit)])?;
    let mut recent = Vec::new();
    while let Some(row) = rows.next()? {
        if row.get::<_, Micros>(1)? < since {
            break;
        }
        recent.extend(Key::read(row.get_ref(0)?).map(|key| key.id()));
    }
    Ok((recent, Vec::new()))
}

/// The latest time that is known: when the last message came.
pub fn latest(connection: &Connection) -> Result<Micros, Fault> {
    let last = connection
        .query_row("SELECT accepted FROM message ORDER BY place DESC LIMIT 1", [], |row| row.get(0));
    last.optional().map(|last| last.unwrap_or(0))
}

/// SQLite's numbers have a sign.
fn count(row: &Row<'_>, column: usize) -> Result<u64, Fault> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

fn bound(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
