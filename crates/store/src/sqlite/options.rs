use std::time::Duration;

/// How the store works where the usual does not fit; tests need it.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// Changes that may wait to be written, the commit under way left out; beyond: [`StoreError::Busy`](crate::StoreError).
    pub max_queue: usize,
    /// How often a store in trouble looks whether the trouble is over.
    pub look_again: Duration,
    /// How long bindings may wait for a message to be written along with.
    pub bindings_after: Duration,
    /// Pages of the log after which they are copied into the file.
    pub log_pages: u32,
    /// Pages the file may have; beyond: [`StoreError::Full`](crate::StoreError).
    pub max_pages: Option<u32>,
    /// SQLite's name of another file system. It needs no shared memory and no second connection (reads share the
    /// writer's), and nothing but SQLite touches the file: no lock is held, no folder made, no permission set.
    pub vfs: Option<String>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            max_queue: 16_384,
            look_again: Duration::from_secs(1),
            bindings_after: Duration::from_millis(500),
            log_pages: 16_384,
            max_pages: None,
            vfs: None,
        }
    }
}
