//! What is asked of the file.

use rusqlite::{Connection, ErrorCode, OptionalExtension, ToSql, params_from_iter};

use crate::TableError;
use crate::bounds::MAX_ROWS;

type Answer<T> = Result<T, TableError>;

pub(super) fn insert(connection: &mut Connection, row: &[String; 4]) -> Answer<()> {
    let [host, realm, key, value] = row;
    let mut change = || -> rusqlite::Result<()> {
        let change = connection.transaction()?;
        change
            .prepare_cached("delete from db_data where realm = ? and data_key = ?")?
            .execute([realm, key])?;
        change
            .prepare_cached("insert into db_data (hostname, realm, data_key, data) values (?, ?, ?, ?)")?
            .execute([host, realm, key, value])?;
        change.commit()
    };
    told(change())
}

pub(super) fn delete(connection: &Connection, row: &[String; 2]) -> Answer<()> {
    execute(connection, "delete from db_data where realm = ? and data_key = ?", row)
}

pub(super) fn select(connection: &Connection, row: &[String; 2]) -> Answer<Option<String>> {
    let mut statement =
        connection.prepare_cached("select data from db_data where realm = ? and data_key = ?")?;
    let value =
        statement.query_row(params_from_iter(row), |row| row.get::<_, Option<String>>(0)).optional()?;
    Ok(value.flatten())
}

pub(super) fn count(connection: &Connection, realm: Option<&str>) -> Answer<i64> {
    let one = |row: &rusqlite::Row<'_>| row.get(0);
    Ok(match realm {
        None => connection.query_row("select count(distinct realm) from db_data", [], one)?,
        Some(realm) => {
            connection.query_row("select count(data_key) from db_data where realm = ?", [realm], one)?
        }
    })
}

pub(super) fn list(connection: &Connection, realm: Option<&str>) -> Answer<Vec<String>> {
    match realm {
        None => column(connection, "select distinct realm from db_data limit ?", &[&MAX_ROWS]),
        Some(realm) => column(
            connection,
            "select distinct data_key from db_data where realm = ? limit ?",
            &[&realm, &MAX_ROWS],
        ),
    }
}

pub(super) fn group_insert(connection: &mut Connection, row: &[String; 3]) -> Answer<()> {
    let [host, group, url] = row;
    let mut change = || -> rusqlite::Result<()> {
        let change = connection.transaction()?;
        change.execute("delete from group_data where groupname = ? and url = ?", [group, url])?;
        change.execute(
            "insert into group_data (hostname, groupname, url) values (?, ?, ?)",
            [host, group, url],
        )?;
        change.commit()
    };
    told(change())
}

pub(super) fn group_delete(connection: &Connection, group: &str, url: Option<&str>) -> Answer<()> {
    match url {
        None => execute(connection, "delete from group_data where groupname = ?", &[group.to_owned()]),
        Some(url) => execute(
            connection,
            "delete from group_data where groupname = ? and url = ?",
            &[group.to_owned(), url.to_owned()],
        ),
    }
}

pub(super) fn group(connection: &Connection, group: &str) -> Answer<Vec<String>> {
    column(connection, "select url from group_data where groupname = ? limit ?", &[&group, &MAX_ROWS])
}

fn execute<const N: usize>(connection: &Connection, sql: &str, row: &[String; N]) -> Answer<()> {
    told(
        connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params_from_iter(row)))
            .map(drop),
    )
}

fn column(connection: &Connection, sql: &str, row: &[&dyn ToSql]) -> Answer<Vec<String>> {
    let mut statement = connection.prepare_cached(sql)?;
    let values = statement.query_map(row, |row| row.get::<_, Option<String>>(0))?;
    let values = values.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(values.into_iter().flatten().collect())
}

/// A file that may not grow is a full table.
fn told<T>(outcome: rusqlite::Result<T>) -> Answer<T> {
    outcome.map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => TableError::Full,
        _ => error.into(),
    })
}
