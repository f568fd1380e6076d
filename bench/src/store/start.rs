//! A start while many messages wait.

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use chappe_store::{SqliteStore, Store as _};

use crate::cli::StoreOptions;
use crate::error::BenchError;
use crate::machine;

/// Seconds from before the file was opened.
pub struct Start {
    /// Until the store is open and every recipient for whom something waits is known.
    pub lines: f64,
    /// Until one more message is kept.
    pub first: f64,
}

/// Makes the store.
pub fn fill(
    path: &Path,
    options: &StoreOptions,
    runtime: &tokio::runtime::Runtime,
) -> Result<(), BenchError> {
    let options = StoreOptions { messages: options.waiting, ..options.clone() };
    let started = Instant::now();
    runtime.block_on(super::puts(SqliteStore::open(path), &options))?;
    eprintln!("{} messages kept in {:.0} s", options.messages, started.elapsed().as_secs_f64());
    Ok(())
}

pub fn measure(path: &Path, number: u32, runtime: &tokio::runtime::Runtime) -> Result<Start, BenchError> {
    forget(path)?;
    let started = Instant::now();
    let store = SqliteStore::open(path);
    let lines = runtime.block_on(store.lines()).map_err(|error| BenchError::Store(error.to_string()))?;
    let until_lines = started.elapsed().as_secs_f64();
    let count: u64 = lines.iter().map(|line| line.count).sum();
    if count != u64::from(number) {
        return Err(BenchError::Store(format!("{count} messages wait, not {number}")));
    }
    runtime.block_on(super::put(&*store, number))?;
    let first = started.elapsed().as_secs_f64();
    eprintln!("start: {until_lines:.3} s until the lines, {first:.3} s until the first message is kept");
    Ok(Start { lines: until_lines, first })
}

/// Has the system forget what it keeps of the file in memory, so that the start is a cold one.
fn forget(path: &Path) -> Result<(), BenchError> {
    let file = File::open(path).map_err(BenchError::system("open the store"))?;
    file.sync_all().map_err(BenchError::system("sync the store"))?;
    machine::forget_pages(&file).map_err(BenchError::system("have the system forget the store"))
}
