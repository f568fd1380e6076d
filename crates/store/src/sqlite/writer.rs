//! The thread that writes: group commit, and what happens when that fails.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use rusqlite::ErrorCode;

use super::bindings::{self, BindingKey};
use super::fault::{self, Fault};
use super::find;
use super::job::Job;
use super::opening::{self, Opened};
use super::queue::Batch;
use super::shared::Shared;
use super::writing::Writing;
use crate::{KeptBinding, StoreError};

/// When so many changes in a row failed alone by a fault that hits all, the rest of them is not tried.
const ENOUGH: usize = 8;

/// Everything that changes the file happens here, one transaction at a time.
pub struct Writer {
    shared: Arc<Shared>,
    opened: Option<Opened>,
    openings: u64,
    /// When it was last tried whether a trouble is over.
    looked: Instant,
}

impl Writer {
    /// Works until the queue is closed and empty. Says so once the file was tried to open.
    pub fn run(shared: Arc<Shared>, opened: &SyncSender<()>) {
        let _end = End(shared.clone());
        let mut writer = Self { shared, opened: None, openings: 0, looked: Instant::now() };
        writer.look();
        let _ = opened.send(());
        while let Some(batch) = writer.shared.queue.take(writer.deadline()) {
            writer.look_again();
            writer.write(batch);
        }
    }

    /// When a trouble has to be looked after, even if nobody asks for anything.
    fn deadline(&self) -> Option<Instant> {
        self.shared.health.trouble().map(|_| self.looked + self.shared.options.look_again)
    }

    fn look_again(&mut self) {
        if self.opened.as_ref().is_some_and(|opened| opened.is_moved(&self.shared.path)) {
            self.close(StoreError::Failed(format!("{} was moved or removed", self.shared.path.display())));
        }
        if self.deadline().is_some_and(|deadline| deadline <= Instant::now()) {
            self.look();
        }
    }

    /// Opens the file, or sees whether it can be written again.
    fn look(&mut self) {
        self.looked = Instant::now();
        let Some(opened) = &self.opened else { return self.open() };
        match probe(&opened.writing) {
            Ok(()) => self.shared.health.over(),
            Err(fault) => self.note(&fault),
        }
    }

    fn open(&mut self) {
        let opened = opening::open(&self.shared.path, &self.shared.options);
        match opened {
            Ok(opened) => {
                self.shared.heard(find::latest(&opened.writing.connection).unwrap_or(0));
                self.opened = Some(opened);
                self.openings += 1;
                self.shared.opening.store(self.openings, Ordering::Release);
                self.shared.health.over();
            }
            Err(error) => self.shared.health.begin(error),
        }
    }

    /// Writes a batch: all of it together, or, where that fails, each alone.
    fn write(&mut self, Batch { jobs, bindings }: Batch) {
        let asked = jobs.len();
        let mut all: Vec<Box<dyn Job>> = Vec::with_capacity(asked + 1);
        if !bindings.is_empty() {
            all.push(Box::new(Bindings { bindings, shared: self.shared.clone() }));
        }
        all.extend(jobs);
        if all.is_empty() {
            return;
        }
        let results = match self.together(&mut all) {
            Ok(()) => vec![Ok(()); all.len()],
            Err(error) if all.len() == 1 => vec![Err(error)],
            Err(_) => self.apart(&mut all),
        };
        // Before anybody hears of it, so that what he reads then shows it.
        self.shared.progress.add(asked);
        all.into_iter().zip(results).for_each(|(job, result)| job.end(result));
    }

    fn apart(&mut self, jobs: &mut [Box<dyn Job>]) -> Vec<Result<(), StoreError>> {
        let mut failed = 0;
        let each = jobs.iter_mut().map(|job| {
            if failed >= ENOUGH {
                return Err(self.shared.health.trouble().unwrap_or(StoreError::Busy));
            }
            let result = self.together(std::slice::from_mut(job));
            failed = if result.is_err() && self.shared.health.trouble().is_some() { failed + 1 } else { 0 };
            result
        });
        each.collect()
    }

    fn together(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        let Some(opened) = &self.opened else {
            return Err(self.shared.health.trouble().unwrap_or(StoreError::Closed));
        };
        let Err(fault) = transaction(&opened.writing, jobs) else {
            self.shared.commits.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        };
        opened.writing.roll_back();
        self.note(&fault);
        Err(fault::error(&fault))
    }

    /// A fault that hits everybody is a trouble. Only a full disk leaves the file as it was: else it is opened anew.
    fn note(&mut self, fault: &Fault) {
        if !fault::is_everybodys(fault) {
            return;
        }
        let error = fault::error(fault);
        match fault.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => self.shared.health.begin(error),
            _ => self.close(error),
        }
    }

    fn close(&mut self, why: StoreError) {
        self.shared.opening.store(0, Ordering::Release);
        self.shared.health.begin(why);
        self.opened = None;
    }
}

fn transaction(writing: &Writing, jobs: &mut [Box<dyn Job>]) -> Result<(), Fault> {
    writing.begin()?;
    jobs.iter_mut().try_for_each(|job| job.run(writing))?;
    writing.commit()
}

/// Writes more than fits in a corner that just became free, and takes it back.
fn probe(writing: &Writing) -> Result<(), Fault> {
    writing.roll_back();
    writing.connection.execute("INSERT OR REPLACE INTO probe VALUES (1, zeroblob(65536))", [])?;
    writing.connection.execute("DELETE FROM probe", []).map(drop)
}

/// Bindings that are written along; when they can't be, they wait again.
struct Bindings {
    bindings: Vec<(BindingKey, Option<KeptBinding>)>,
    shared: Arc<Shared>,
}

impl Job for Bindings {
    fn run(&mut self, writing: &Writing) -> Result<(), Fault> {
        let mut bindings = self.bindings.iter();
        bindings.try_for_each(|(key, binding)| bindings::write(&writing.connection, key, binding.as_ref()))
    }

    fn end(self: Box<Self>, result: Result<(), StoreError>) {
        if result.is_err() {
            self.shared.queue.restore(self.bindings);
        }
    }
}

/// However the thread ends, nobody waits for it any more.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.queue.abandon();
        self.0.progress.end();
        if std::thread::panicking() {
            self.0.health.begin(StoreError::Failed("its writer has died".into()));
        }
    }
}
