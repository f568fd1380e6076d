//! Opening the file.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::FILE;
use crate::TableError;
use crate::bounds::MAX_FILE;

/// How long somebody else who writes into the file is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// FreeSWITCH mod_db.c. Its third table, of the calls under way, is emptied at each start; what is under way here is
/// counted in memory.
const TABLES: &str = "
    create table if not exists db_data (
        hostname varchar(255), realm varchar(255), data_key varchar(255), data varchar(255));
    create table if not exists group_data (
        hostname varchar(255), groupname varchar(255), url varchar(255));
    create index if not exists dd_realm on db_data (realm);
    create unique index if not exists dd_data_key_realm on db_data (data_key, realm);
    create index if not exists gd_groupname on group_data (groupname);
    create index if not exists gd_url on group_data (url);";

pub(super) fn open(folder: &Path) -> Result<Connection, TableError> {
    std::fs::create_dir_all(folder).map_err(|error| TableError::Folder { path: folder.to_owned(), error })?;
    let path = folder.join(FILE);
    connect(&path).map_err(|error| TableError::Open { path, error })
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    // A crash of the server loses nothing; one of the machine may lose the last moment, never the file.
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    connection.pragma_update_and_check(None, "max_page_count", MAX_FILE / page.max(1), |_| Ok(()))?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}
