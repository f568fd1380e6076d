//! The threads that run scripts, and the queue before them.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::LuaConfig;
use super::state::State;
use crate::{Finished, Harvest, Job, Patience, Refused, ScriptError, World};

/// Scripts that run on threads of their own: those in the background, and those that other scripts wait for.
const MAX_EXTRA: usize = 64;

/// A bounded number of threads and a bounded queue.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    config: Arc<LuaConfig>,
    world: Arc<World>,
    queue: Mutex<Queue>,
    filled: Condvar,
    /// Threads beside the pool's own.
    extra: AtomicUsize,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Threads that wait for a job.
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
            extra: AtomicUsize::new(0),
        });
        let pool = Self { shared };
        for number in 0..threads {
            let shared = pool.shared.clone();
            thread::Builder::new().name(format!("lua-{number}")).spawn(move || shared.work())?;
        }
        Ok(pool)
    }

    pub(super) fn stop(&self) {
        let mut queue = self.shared.queue.lock();
        queue.stopped = true;
        // Their senders are told that nothing will come.
        queue.jobs.clear();
        self.shared.filled.notify_all();
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
        if queue.jobs.len() >= shared.config.queue {
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
    /// What a thread of the pool does.
    fn work(&self) {
        OURS.set(true);
        let mut worker = Worker::default();
        while let Some(job) = self.next() {
            worker.finish(self, job);
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue.lock();
        loop {
            if queue.stopped {
                return None;
            }
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            queue.idle += 1;
            self.filled.wait(&mut queue);
            queue.idle -= 1;
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
            Worker::default().finish(&shared, job);
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
    /// Runs the job and tells who waits for it. A state that a script left unfit is replaced.
    fn finish(&mut self, shared: &Shared, job: Job) {
        let limit = (job.patience == Patience::Limited).then_some(shared.config.time_limit);
        let Job { line, run, done, .. } = job;
        let ran = catch_unwind(AssertUnwindSafe(|| self.run(shared, &line, run, limit)));
        let (harvest, outcome) = ran.unwrap_or_else(|_| {
            self.state = None;
            (Harvest::default(), Err(ScriptError::Lost("it brought its thread down")))
        });
        // Nobody may be listening any more.
        let _ = done.send(Finished { harvest, outcome });
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
