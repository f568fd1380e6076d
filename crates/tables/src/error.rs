//! What goes wrong with a table.

use std::path::PathBuf;

use crate::bounds::{MAX_NAME, MAX_VALUE};

#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("realm and key are longer than {MAX_NAME} octets")]
    LongName,
    #[error("the value is longer than {MAX_VALUE} octets")]
    LongValue,
    #[error("the table is full")]
    Full,
    #[error("too many wait for the database")]
    Busy,
    #[error("the database has been closed")]
    Closed,
    #[error("{}: {error}", path.display())]
    Open { path: PathBuf, error: rusqlite::Error },
    #[error("{}: {error}", path.display())]
    Folder { path: PathBuf, error: std::io::Error },
    #[error("failed to start a thread for the database: {0}")]
    Thread(std::io::Error),
    #[error("{0}")]
    Sql(#[from] rusqlite::Error),
}

/// Whether a realm, a key and a value may be kept.
pub(crate) fn fits(realm: &str, key: &str, value: &str) -> Result<(), TableError> {
    if realm.len() + key.len() > MAX_NAME {
        return Err(TableError::LongName);
    }
    if value.len() > MAX_VALUE { Err(TableError::LongValue) } else { Ok(()) }
}
