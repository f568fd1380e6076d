//! What changes messages.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Row, params};

use super::fault::Fault;
use super::find::{self, Damaged};
use super::row::{self, Covered, Key};
use super::writing::Writing;
use super::{attempts, event};
use crate::{Attempt, Change, Kept, Micros, Put, Record, State};

/// A message to be kept, as its row has it. Made by who asks, so that the writer has less to do.
pub struct NewMessage {
    key: Key,
    origin: Option<[u8; 16]>,
    recipient: Arc<str>,
    sender: Box<str>,
    state: State,
    accepted: Micros,
    not_before: Micros,
    expires: Micros,
    attempts: Vec<Attempt>,
    sum: u32,
    payload: Vec<u8>,
}

impl NewMessage {
    pub fn new(kept: Kept) -> Self {
        let Kept { recipient, sender, state, accepted, not_before, expires, attempts, .. } = kept;
        let (key, origin) = (Key::of(&kept.id), kept.origin.map(u128::to_be_bytes));
        let payload = event::encode(&kept.message, key.octets());
        let covered = Covered {
            key: &key,
            origin: origin.as_ref().map(<[u8; 16]>::as_slice),
            recipient: &recipient,
            sender: &sender,
            accepted,
            not_before,
            expires,
        };
        let sum = covered.sum();
        Self { key, origin, recipient, sender, state, accepted, not_before, expires, attempts, sum, payload }
    }

    /// Octets that wait with it.
    pub fn octets(&self) -> usize {
        self.payload.len()
    }
}

pub fn put(writing: &Writing, new: &NewMessage) -> Result<Put, Fault> {
    let place = writing.next_place();
    let mut insert = writing.connection.prepare_cached(
        "INSERT OR IGNORE INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?11)",
    )?;
    let inserted = insert.execute(params![
        place,
        new.key,
        new.origin,
        new.recipient,
        new.sender,
        row::number(new.state),
        new.accepted,
        new.not_before,
        new.expires,
        u32::try_from(new.attempts.len()).unwrap_or(u32::MAX),
        new.sum,
    ])?;
    if inserted == 0 {
        return known(writing, new);
    }
    writing.placed(new.state);
    writing
        .connection
        .prepare_cached("INSERT INTO payload VALUES (?1, ?2)")?
        .execute(params![place, new.payload])?;
    attempts::add(&writing.connection, place, 0, &new.attempts)?;
    Ok(Put::Stored)
}

/// The message that is there already: the one of this origin before the one of this name.
fn known(writing: &Writing, new: &NewMessage) -> Result<Put, Fault> {
    let known = |row: &Row<'_>| {
        let state = row::state(row.get(1)?).unwrap_or(State::Refused);
        Ok(Put::Known(Key::read(row.get_ref(0)?).map_or_else(|| new.key.id(), |key| key.id()), state))
    };
    let mut by_origin =
        writing.connection.prepare_cached("SELECT id, state FROM message WHERE origin = ?1")?;
    let mut by_key = writing.connection.prepare_cached("SELECT id, state FROM message WHERE id = ?1")?;
    let of_origin = match new.origin {
        Some(origin) => by_origin.query_row([origin], known).optional()?,
        None => None,
    };
    of_origin.map_or_else(|| by_key.query_row([&new.key], known), Ok)
}

/// A change, as rows have it.
pub enum RowChange {
    Tried(Vec<Attempt>),
    Planned { recipient: Arc<str>, not_before: Micros, payload: Vec<u8>, attempts: Vec<Attempt> },
    Ended { at: Micros, state: State, attempts: Vec<Attempt> },
}

impl RowChange {
    pub fn new(key: &Key, change: Change) -> Self {
        match change {
            Change::Tried(attempts) => Self::Tried(attempts),
            Change::Planned { recipient, not_before, message, attempts } => {
                let payload = event::encode(&message, key.octets());
                Self::Planned { recipient, not_before, payload, attempts }
            }
            Change::Ended { at, state, attempts } => Self::Ended { at, state, attempts },
        }
    }

    /// Octets that wait with it.
    pub fn octets(&self) -> usize {
        match self {
            Self::Planned { payload, .. } => payload.len(),
            Self::Tried(_) | Self::Ended { .. } => 0,
        }
    }

    fn attempts(&self) -> &[Attempt] {
        match self {
            Self::Tried(attempts) | Self::Planned { attempts, .. } | Self::Ended { attempts, .. } => attempts,
        }
    }
}

/// Where an unfinished message is.
struct Standing {
    place: i64,
    state: State,
    tries: u32,
}

pub fn change(writing: &Writing, key: &Key, change: &RowChange) -> Result<bool, Fault> {
    let Some(standing) = standing(writing, key)? else { return Ok(false) };
    let connection = &writing.connection;
    let tries = attempts::add(connection, standing.place, standing.tries, change.attempts())?;
    if tries != standing.tries {
        let mut update = connection.prepare_cached("UPDATE message SET tries = ?1 WHERE place = ?2")?;
        update.execute(params![tries, standing.place])?;
    }
    match change {
        RowChange::Tried(_) => {}
        RowChange::Planned { recipient, not_before, payload, .. } => {
            planned(writing, key, &standing, recipient, *not_before, payload)?;
        }
        RowChange::Ended { at, state, .. } => end(writing, standing.place, standing.state, *state, *at)?,
    }
    Ok(true)
}

fn standing(writing: &Writing, key: &Key) -> Result<Option<Standing>, Fault> {
    let mut select = writing
        .connection
        .prepare_cached("SELECT place, state, tries FROM message WHERE id = ?1 AND state < 2")?;
    let standing = |row: &Row<'_>| {
        let state = row::state(row.get(1)?).unwrap_or(State::Waiting);
        Ok(Standing { place: row.get(0)?, state, tries: row.get(2)? })
    };
    select.query_row([key], standing).optional()
}

fn planned(
    writing: &Writing,
    key: &Key,
    standing: &Standing,
    recipient: &str,
    not_before: Micros,
    payload: &[u8],
) -> Result<(), Fault> {
    let connection = &writing.connection;
    let mut select = connection
        .prepare_cached("SELECT origin, sender, accepted, expires FROM message WHERE place = ?1")?;
    let sum = select.query_row([standing.place], |row| {
        let (origin, sender): (Option<Vec<u8>>, Box<str>) = (row.get(0)?, row.get(1)?);
        let (accepted, expires) = (row.get(2)?, row.get(3)?);
        let origin = origin.as_deref();
        Ok(Covered { key, origin, recipient, sender: &sender, accepted, not_before, expires }.sum())
    })?;
    let mut update = connection.prepare_cached(
        "UPDATE message SET recipient = ?1, not_before = ?2, state = 1, sum = ?3 WHERE place = ?4",
    )?;
    update.execute(params![recipient, not_before, sum, standing.place])?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO payload VALUES (?1, ?2)")?
        .execute(params![standing.place, payload])?;
    writing.moved(standing.state, State::Waiting);
    Ok(())
}

fn end(writing: &Writing, place: i64, from: State, to: State, at: Micros) -> Result<(), Fault> {
    let connection = &writing.connection;
    let mut update =
        connection.prepare_cached("UPDATE message SET state = ?1, ended = ?2 WHERE place = ?3")?;
    update.execute(params![row::number(to), at, place])?;
    connection.prepare_cached("DELETE FROM payload WHERE place = ?1")?.execute([place])?;
    writing.moved(from, to);
    Ok(())
}

/// Ends messages whose time is over; what they were, in their order.
pub fn expire(writing: &Writing, now: Micros, limit: usize) -> Result<Vec<Record>, Fault> {
    let (mut expired, damaged) = find::over(&writing.connection, now, limit)?;
    for record in &mut expired {
        let summary = &mut record.summary;
        let state = if summary.is_delivered() { State::Delivered } else { State::Expired };
        end(writing, summary.place, summary.state, state, now)?;
        (summary.state, summary.ended) = (state, now);
    }
    refuse(writing, &damaged, now)?;
    Ok(expired)
}

/// Ends messages that can't be read any more.
pub fn refuse(writing: &Writing, damaged: &[Damaged], at: Micros) -> Result<(), Fault> {
    for Damaged { place, name } in damaged {
        let connection = &writing.connection;
        let mut select =
            connection.prepare_cached("SELECT state FROM message WHERE place = ?1 AND state < 2")?;
        let state = select.query_row([place], |row| row.get(0)).optional()?;
        let Some(state) = state else { continue };
        tracing::error!("message {name} is damaged in the store, and refused");
        end(writing, *place, row::state(state).unwrap_or(State::Waiting), State::Refused, at)?;
    }
    Ok(())
}

/// Forgets final messages that ended before a time.
pub fn purge(writing: &Writing, before: Micros, limit: usize) -> Result<u64, Fault> {
    let connection = &writing.connection;
    let mut select = connection.prepare_cached(
        "SELECT place, state FROM message WHERE state >= 2 AND ended < ?1 ORDER BY ended LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let old = select.query_map(params![before, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let old: Vec<(i64, i64)> = old.collect::<Result<_, _>>()?;
    for (place, state) in &old {
        connection.prepare_cached("DELETE FROM message WHERE place = ?1")?.execute([place])?;
        attempts::forget(connection, *place)?;
        writing.count(row::state(*state).unwrap_or(State::Refused), -1);
    }
    Ok(old.len() as u64)
}
