//! What the threads of a store share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex};

use super::health::Health;
use super::options::SqliteOptions;
use super::queue::Queue;
use crate::Micros;

pub struct Shared {
    pub path: PathBuf,
    pub options: SqliteOptions,
    pub queue: Queue,
    pub health: Health,
    pub progress: Progress,
    /// Which opening of the file is the present one; 0: it is not open.
    pub opening: AtomicU64,
    /// Transactions so far.
    pub commits: AtomicU64,
    /// The latest time that anybody handed in.
    latest: AtomicI64,
}

impl Shared {
    pub fn new(path: PathBuf, options: SqliteOptions) -> Self {
        let queue = Queue::new(options.max_queue, options.bindings_after);
        let (health, progress) = (Health::default(), Progress::default());
        let (opening, commits) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { path, options, queue, health, progress, opening, commits, latest: AtomicI64::new(0) }
    }

    /// For what happens at no time that anybody handed in: a message that turns out damaged.
    pub fn latest(&self) -> Micros {
        self.latest.load(Ordering::Relaxed)
    }

    pub fn heard(&self, now: Micros) {
        self.latest.fetch_max(now, Ordering::Relaxed);
    }
}

/// How many jobs are done, so that what is read afterwards shows them.
#[derive(Default)]
pub struct Progress {
    done: Mutex<u64>,
    more: Condvar,
}

impl Progress {
    pub fn add(&self, jobs: usize) {
        let mut done = self.done.lock();
        *done = done.saturating_add(jobs as u64);
        self.more.notify_all();
    }

    /// Nothing more will be done: nobody shall wait for it.
    pub fn end(&self) {
        self.add(usize::MAX);
    }

    pub fn wait(&self, jobs: u64) {
        let mut done = self.done.lock();
        while *done < jobs {
            self.more.wait(&mut done);
        }
    }
}
