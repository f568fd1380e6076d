//! The tables, and how those of an earlier version become today's.

use rusqlite::Connection;

use super::fault::Fault;

/// Step n leads from version n to version n + 1; version 0 is an empty file. A step that was released never changes.
pub const STEPS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// SQLite's `application_id` of our files: `chap`.
pub const APPLICATION: i32 = i32::from_be_bytes(*b"chap");

pub fn version(connection: &Connection) -> Result<i64, Fault> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Takes the steps that the file has not seen, each wholly or not at all. A file beyond the last step is not touched.
pub fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), Fault> {
    let found = version(connection)?;
    let known = usize::try_from(found).unwrap_or(0);
    for (step, before) in steps.iter().zip(0i64..).skip(known) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", before + 1)?;
        transaction.commit()?;
    }
    // A new file has no version yet.
    if (1..steps.len()).contains(&known) {
        tracing::info!("the store has schema version {} now, it had {found}", steps.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE one (a INTEGER); INSERT INTO one VALUES (7);";
    const SECOND: &str = "ALTER TABLE one ADD COLUMN b INTEGER NOT NULL DEFAULT 8;";
    const BROKEN: &str = "UPDATE one SET a = 0; CREATE TABLE one (a INTEGER);";

    fn row(connection: &Connection) -> (i64, i64) {
        connection.query_row("SELECT a, b FROM one", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }

    #[test]
    fn a_file_of_any_version_gets_the_steps_it_lacks() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[FIRST]).unwrap();
        assert_eq!(version(&connection).unwrap(), 1);
        migrate(&mut connection, &[FIRST, SECOND]).unwrap();
        assert_eq!((version(&connection).unwrap(), row(&connection)), (2, (7, 8)));
        migrate(&mut connection, &[FIRST, SECOND]).unwrap();
        assert_eq!((version(&connection).unwrap(), row(&connection)), (2, (7, 8)));
        migrate(&mut connection, &[FIRST]).unwrap();
        assert_eq!(version(&connection).unwrap(), 2, "a newer file stays as it is");
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[FIRST, SECOND, BROKEN]).unwrap_err();
        assert_eq!((version(&connection).unwrap(), row(&connection)), (2, (7, 8)));
    }

    #[test]
    fn todays_steps_make_todays_tables() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, STEPS).unwrap();
        assert_eq!(version(&connection).unwrap(), STEPS.len() as i64);
        let application: i32 =
            connection.pragma_query_value(None, "application_id", |row| row.get(0)).unwrap();
        assert_eq!(application, APPLICATION);
    }
}
