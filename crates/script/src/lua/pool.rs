//! The threads that run scripts, and the queue before them.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::LuaConfig;
use super::state::State;
use super::watch::{Busy, Watch};
use crate::{Finished, Harvest, Job, Patience, Refused, ScriptError, World};

/// Scripts that run on threads of their own: those in the background, and those that other scripts wait for.
const MAX_EXTRA: usize = 64;
/// Threads that are replaced because their scripts can't be stopped.
const MAX_REPLACED: usize = 64;
/// How often it is looked for those.
const LOOK: Duration = Duration::from_millis(500);

/// A bounded number of threads and a bounded queue.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    config: Arc<LuaConfig>,
    world: Arc<World>,
    queue: Mutex<Queue>,
    filled: Condvar,
    /// The pool is stopped.
    ended: Condvar,
    /// Threads beside the pool's own.
    extra: AtomicUsize,
    watch: Watch,
    /// Threads that were replaced, since their scripts can't be stopped.
    replaced: AtomicUsize,
}

#[derive(Default)]
struct Queue {
    /// One for each idle thread, which has only to wake up, and [`LuaConfig::queue`] more.
    jobs: VecDeque<Job>,
    /// Threads without a job, from their start on.
    idle: usize,
    stopped: bool,
}

thread_local! {
    /// This thread runs scripts.
    static OURS: Cell<bool> = const { Cell::new(false) };
}

impl Pool {
    pub(super) fn start(config: LuaConfig, world: Arc<World>) -> io::Result<Self> {
        let threads = config.threads;
        let shared = Arc::new(Shared {
            config: Arc::new(config),
            world,
            queue: Mutex::default(),
            filled: Condvar::new(),
            ended: Condvar::new(),
            extra: AtomicUsize::new(0),
            watch: Watch::default(),
            replaced: AtomicUsize::new(0),
        });
        let pool = Self { shared };
        let mut queue = pool.shared.queue.lock();
        for _ in 0..threads {
            pool.shared.spawn(&mut queue)?;
        }
        drop(queue);
        let shared = pool.shared.clone();
        thread::Builder::new().name("lua-watch".to_owned()).spawn(move || shared.watch())?;
        Ok(pool)
    }

    pub(super) fn stop(&self) {
        let mut queue = self.shared.queue.lock();
        queue.stopped = true;
        // Their senders are told that nothing will come.
        queue.jobs.clear();
        self.shared.filled.notify_all();
        self.shared.ended.notify_all();
    }

    pub(super) fn push(&self, job: Job) -> Result<(), Refused> {
        let shared = &self.shared;
        if shared.world.is_stopping() {
            return Err(Refused::Stopping);
        }
        // A script that waits for another one holds a thread: with all of them waiting, none would ever go on.
        if job.patience == Patience::Endless || OURS.get() {
            return shared.extra(job);
        }
        let mut queue = shared.queue.lock();
        if queue.stopped {
            return Err(Refused::Stopping);
        }
        if queue.jobs.len() >= shared.config.queue + queue.idle {
            return Err(Refused::Full);
        }
        queue.jobs.push_back(job);
        if queue.idle > 0 {
            drop(queue);
            shared.filled.notify_one();
        }
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    /// Starts a thread of the pool.
    fn spawn(self: &Arc<Self>, queue: &mut Queue) -> io::Result<()> {
        let (shared, busy) = (self.clone(), self.watch.add());
        thread::Builder::new().name("lua".to_owned()).spawn(move || shared.work(&busy))?;
        queue.idle += 1;
        Ok(())
    }

    /// What a thread of the pool does.
    fn work(&self, busy: &Busy) {
        OURS.set(true);
        let mut worker = Worker::default();
        while let Some(job) = self.next() {
            if !worker.finish(self, busy, job) {
                self.replaced.fetch_sub(1, Ordering::AcqRel);
                return;
            }
            self.queue.lock().idle += 1;
        }
    }

    /// Looks after the others until the pool is stopped.
    fn watch(self: &Arc<Self>) {
        let mut queue = self.queue.lock();
        while !queue.stopped {
            self.ended.wait_for(&mut queue, LOOK);
            let late = MutexGuard::unlocked(&mut queue, || self.watch.look());
            for _ in 0..late {
                tracing::error!("A script can't be stopped, its thread is lost until it ends");
                if self.replaced.fetch_add(1, Ordering::AcqRel) >= MAX_REPLACED {
                    tracing::error!("{MAX_REPLACED} threads are lost, this one is not replaced");
                } else if let Err(error) = self.spawn(&mut queue) {
                    tracing::error!("failed to replace it: {error}");
                }
            }
        }
    }

    /// The next job for an idle thread; waits for one.
    fn next(&self) -> Option<Job> {
        let mut queue = self.queue.lock();
        loop {
            if queue.stopped {
                return None;
            }
            if let Some(job) = queue.jobs.pop_front() {
                queue.idle -= 1;
                return Some(job);
            }
            self.filled.wait(&mut queue);
        }
    }

    /// Runs the job on a thread of its own.
    fn extra(self: &Arc<Self>, job: Job) -> Result<(), Refused> {
        if self.extra.fetch_add(1, Ordering::AcqRel) >= MAX_EXTRA {
            self.extra.fetch_sub(1, Ordering::AcqRel);
            return Err(Refused::Full);
        }
        let shared = self.clone();
        let started = thread::Builder::new().name("lua-extra".to_owned()).spawn(move || {
            OURS.set(true);
            Worker::default().finish(&shared, &Busy::default(), job);
            shared.extra.fetch_sub(1, Ordering::AcqRel);
        });
        if started.is_err() {
            self.extra.fetch_sub(1, Ordering::AcqRel);
        }
        started.map(drop).map_err(|_| Refused::Full)
    }
}

/// A thread's state, once there is one.
#[derive(Default)]
struct Worker {
    state: Option<State>,
}

impl Worker {
    /// Runs the job and tells who waits for it. A state that a script left unfit is replaced. False when the job was
    /// given up meanwhile.
    fn finish(&mut self, shared: &Shared, busy: &Busy, job: Job) -> bool {
        let limit = (job.patience == Patience::Limited).then_some(shared.config.time_limit);
        let Job { line, run, done, .. } = job;
        busy.begin(limit, done);
        let ran = catch_unwind(AssertUnwindSafe(|| self.run(shared, &line, run, limit)));
        let (harvest, outcome) = ran.unwrap_or_else(|_| {
            self.state = None;
            (Harvest::default(), Err(ScriptError::Lost("it brought its thread down")))
        });
        busy.end(Finished { harvest, outcome })
    }

    fn run(
        &mut self,
        shared: &Shared,
        line: &str,
        run: crate::Run,
        limit: Option<Duration>,
    ) -> (Harvest, Result<(), ScriptError>) {
        let state = match self.state.take() {
            Some(state) => state,
            None => match State::new(shared.config.clone(), &shared.world) {
                Ok(state) => state,
                Err(error) => return (run.finish(), Err(ScriptError::Script(error.to_string()))),
            },
        };
        let (harvest, outcome) = state.run(line, run, limit);
        if state.is_fit(&outcome) {
            self.state = Some(state);
        }
        (harvest, outcome)
    }
}
