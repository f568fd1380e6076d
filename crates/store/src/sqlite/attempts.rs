//! The table of attempts.

use rusqlite::{Connection, params};

use super::code::{In, Out};
use super::fault::Fault;
use crate::{Attempt, Record, Summary};

/// Writes attempts behind the `tries` that a message has had, and lets the earliest go; how many it has had now.
pub fn add(connection: &Connection, place: i64, tries: u32, attempts: &[Attempt]) -> Result<u32, Fault> {
    if attempts.is_empty() {
        return Ok(tries);
    }
    let most = Record::MAX_ATTEMPTS;
    let now = tries.saturating_add(u32::try_from(attempts.len()).unwrap_or(u32::MAX));
    let last = attempts.len().saturating_sub(most)..;
    let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO attempt VALUES (?1, ?2, ?3)")?;
    let first = i64::from(now) - attempts[last.clone()].len() as i64 + 1;
    for (attempt, number) in attempts[last].iter().zip(first..) {
        insert.execute(params![place, number, encode(attempt, place)])?;
    }
    if now as usize > most {
        let mut surplus =
            connection.prepare_cached("DELETE FROM attempt WHERE place = ?1 AND number <= ?2")?;
        surplus.execute(params![place, i64::from(now) - most as i64])?;
    }
    Ok(now)
}

/// Fills in the attempts that are kept; one that is damaged is left out.
pub fn fill(connection: &Connection, summary: &mut Summary) -> Result<(), Fault> {
    if summary.tries == 0 {
        return Ok(());
    }
    let mut select =
        connection.prepare_cached("SELECT octets FROM attempt WHERE place = ?1 ORDER BY number")?;
    let mut rows = select.query([summary.place])?;
    while let Some(row) = rows.next()? {
        let octets = row.get_ref(0)?.as_blob().ok();
        match octets.and_then(|octets| decode(octets, summary.place)) {
            Some(attempt) => summary.attempts.push(attempt),
            None => tracing::error!("an attempt of message {} is damaged in the store", summary.id),
        }
    }
    Ok(())
}

/// Forgets those of a message.
pub fn forget(connection: &Connection, place: i64) -> Result<(), Fault> {
    connection.prepare_cached("DELETE FROM attempt WHERE place = ?1")?.execute([place])?;
    Ok(())
}

fn encode(attempt: &Attempt, place: i64) -> Vec<u8> {
    let mut out = Out::with_capacity(24 + attempt.device.len() + attempt.reason.len());
    out.signed(attempt.at);
    out.number(attempt.code.into());
    out.text(&attempt.device);
    out.text(&attempt.reason);
    out.sealed(&place.to_le_bytes())
}

fn decode(octets: &[u8], place: i64) -> Option<Attempt> {
    let mut input = In::unsealed(&place.to_le_bytes(), octets)?;
    let (at, code) = (input.signed()?, input.small()?);
    Some(Attempt { at, code, device: input.text()?.into(), reason: input.text()?.into() })
}
