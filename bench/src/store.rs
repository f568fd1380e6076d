//! How many messages a second get to the disk, and how long a start takes when many wait there.
//!
//! Each round puts messages through the store, many at once, and then writes the same octets to a plain file, as many at a
//! time as the store had in a transaction on average, with one `fdatasync` each: the least that the promise costs on this
//! disk. The rounds of both take turns.

mod bare;
mod message;
mod start;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use chappe_store::{Put, SqliteStore, Store, StoreError};

use crate::cli::StoreOptions;
use crate::error::BenchError;
use crate::spread::Spread;

use self::start::Start;

/// What one round showed, in messages a second.
struct Round {
    store: f64,
    bare: f64,
    /// Messages in one transaction, on average.
    batch: f64,
}

/// Measures and prints.
pub fn run(options: &StoreOptions) -> Result<(), BenchError> {
    let folder = match &options.folder {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let folder = folder.map_err(BenchError::system("make a folder"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(BenchError::system("start a runtime"))?;
    let mut rounds = Vec::new();
    for round in 1..=options.rounds {
        let folder = folder.path().join(round.to_string());
        let store = SqliteStore::open(&folder.join("messages.db"));
        let started = Instant::now();
        runtime.block_on(puts(store.clone(), options))?;
        let rate = f64::from(options.messages) / started.elapsed().as_secs_f64();
        let commits = store.commits().max(1);
        drop(store);
        let batch = f64::from(options.messages) / commits as f64;
        let bare = bare::rate(&folder.join("bare"), options.messages, batch.ceil() as u32)?;
        std::fs::remove_dir_all(&folder).map_err(BenchError::system("remove a store"))?;
        eprintln!("round {round}: {rate:.0}/s, {batch:.0} a sync; bare: {bare:.0}/s");
        rounds.push(Round { store: rate, bare, batch });
    }
    let starts = if options.waiting > 0 { starts(folder.path(), options, &runtime)? } else { Vec::new() };
    print!("{}", markdown(&rounds, options.waiting, &starts));
    Ok(())
}

/// Puts all messages, so many at once.
async fn puts(store: Arc<SqliteStore>, options: &StoreOptions) -> Result<(), BenchError> {
    let next = Arc::new(AtomicU32::new(0));
    let tasks = tokio::task::LocalSet::new();
    let mut producers = Vec::new();
    for _ in 0..options.producers {
        let (store, next, last) = (store.clone(), next.clone(), options.messages);
        producers.push(tasks.spawn_local(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= last {
                    return Ok(());
                }
                put(&*store, number).await?;
            }
        }));
    }
    tasks
        .run_until(async {
            for producer in producers {
                producer.await.map_err(|error| BenchError::Store(error.to_string()))??;
            }
            Ok(())
        })
        .await
}

async fn put(store: &dyn Store, number: u32) -> Result<(), BenchError> {
    loop {
        match store.put(message::kept(number)).await {
            Ok(Put::Stored) => return Ok(()),
            Ok(Put::Known(id, _)) => return Err(BenchError::Store(format!("{id} was there already"))),
            Err(StoreError::Busy) => tokio::task::yield_now().await,
            Err(error) => return Err(BenchError::Store(error.to_string())),
        }
    }
}

fn starts(
    folder: &Path,
    options: &StoreOptions,
    runtime: &tokio::runtime::Runtime,
) -> Result<Vec<Start>, BenchError> {
    let path = folder.join("messages.db");
    start::fill(&path, options, runtime)?;
    (0..options.rounds).map(|round| start::measure(&path, options.waiting + round, runtime)).collect()
}

fn markdown(rounds: &[Round], waiting: u32, starts: &[Start]) -> String {
    let told = |figures: Vec<f64>, digits: usize| Spread::of(figures).told(digits, "");
    let mut out = format!(
        "| | messages/s |\n|---|---|\n\
         | store | {} |\n| bare loop of appends and syncs | {} |\n| store / bare loop | {} |\n\
         | messages a sync | {} |\n",
        told(rounds.iter().map(|round| round.store).collect(), 0),
        told(rounds.iter().map(|round| round.bare).collect(), 0),
        told(rounds.iter().map(|round| round.store / round.bare).collect(), 2),
        told(rounds.iter().map(|round| round.batch).collect(), 0),
    );
    if !starts.is_empty() {
        out += &format!(
            "\n| start with {waiting} waiting | s |\n|---|---|\n\
             | until every line is known | {} |\n| until the first message is kept | {} |\n",
            told(starts.iter().map(|start| start.lines).collect(), 3),
            told(starts.iter().map(|start| start.first).collect(), 3),
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_the_ratio_of_each_round() {
        let round = |store, bare| Round { store, bare, batch: 100.0 };
        let rounds = [round(10.0, 20.0), round(30.0, 40.0), round(20.0, 80.0)];
        let text = markdown(&rounds, 7, &[Start { lines: 0.5, first: 1.0 }]);
        assert!(text.contains("| store | 20 (10 to 30) |"), "{text}");
        assert!(text.contains("| store / bare loop | 0.50 (0.25 to 0.75) |"), "{text}");
        assert!(text.contains("| until every line is known | 0.500 |"), "{text}");
        assert!(!markdown(&rounds, 0, &[]).contains("start"), "{text}");
    }
}
