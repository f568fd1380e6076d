use std::path::PathBuf;

/// Why the store could not do what was asked. Cloned to everybody whose change was in the same commit.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// The operator's: no space, or no more of it allowed.
    #[error("the disk is full")]
    Full,
    /// The operator's: the file or its folder can't be written.
    #[error("the store can't be written")]
    ReadOnly,
    /// The operator's: the file is no store, or is damaged.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// The operator's: a later chappe wrote it.
    #[error("{} has schema version {found}, this chappe knows up to {known}: start the chappe that wrote it, or name another store", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// Too much waits to be written: try again in a moment.
    #[error("the store has too much to do")]
    Busy,
    /// Ours, or the disk's.
    #[error("the store failed: {0}")]
    Failed(String),
    /// The store has ended.
    #[error("the store is closed")]
    Closed,
}
