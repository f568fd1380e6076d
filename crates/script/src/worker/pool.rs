//! The workers of one language, and the scripts that wait for one.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::dialogue::{self, Ended};
use super::process::{Breaker, Worker};
use super::{Language, Settings, StartError};
use crate::{Engine, Finished, Job, Patience, Refused, Run, ScriptError, World, command};

/// Scripts that run in the background or for another script at once, each in a worker of its own.
const MAX_BACKGROUND: usize = 32;
/// The pause before another worker is started after two have failed in a row; each further failure doubles it.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Who waits to hear which interpreter it is, or why there is none.
type Ready = mpsc::Sender<Result<String, StartError>>;

thread_local! {
    /// A script runs on this thread: what is started from here it waits for.
    static IN_SCRIPT: Cell<bool> = const { Cell::new(false) };
}

/// The workers of one language. A worker is started when a script finds no other one free, and kept.
pub struct Pool {
    language: &'static Language,
    settings: Settings,
    state: Mutex<State>,
    /// A script waits, or all end.
    news: Condvar,
    /// All end.
    stopped: Condvar,
}

#[derive(Default)]
struct State {
    /// One for each idle thread, which has only to wake up, and [`Settings::queue`] more; past that scripts are refused.
    waiting: VecDeque<Job>,
    /// Threads without a script, from their start on.
    idle: usize,
    /// Threads there are.
    seats: usize,
    background: usize,
    /// The lines to the workers, by number.
    lines: Vec<(u64, Breaker)>,
    next_line: u64,
    stopping: bool,
}

impl Pool {
    /// Starts the first worker and waits until it is ready, so that a missing interpreter is told here and not by the
    /// first message. Blocks as long as the interpreter needs to start.
    pub fn start(language: &'static Language, settings: Settings) -> Result<Arc<Self>, StartError> {
        let pool = Arc::new(Self {
            language,
            settings,
            state: Mutex::default(),
            news: Condvar::new(),
            stopped: Condvar::new(),
        });
        let (ready, is_ready) = mpsc::channel();
        let system = |error| StartError::System { interpreter: pool.settings.interpreter.clone(), error };
        pool.seat(pool.state.lock(), Some(ready)).map_err(system)?;
        let version =
            is_ready.recv().unwrap_or_else(|_| Err(system(std::io::Error::other("its thread is gone"))))?;
        tracing::info!("{} {version}, at most {} workers", language.name, pool.settings.workers);
        Ok(pool)
    }

    /// How it is set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Runs a script in the background for as long as it likes; its error goes to the log.
    pub fn background(self: &Arc<Self>, world: &Arc<World>, line: &str) -> Result<(), Refused> {
        let engine: Arc<dyn Engine> = self.clone();
        command::in_background(&engine, Run::new(world.clone()), line)
    }

    /// Ends all workers. Scripts that run or wait fail.
    pub fn stop(&self) {
        let mut state = self.state.lock();
        state.stopping = true;
        state.lines.iter().for_each(|(_, line)| line.cut());
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.news.notify_all();
        self.stopped.notify_all();
        for job in waiting {
            end(job, Err(ScriptError::Lost("scripts are being stopped")));
        }
    }

    /// Starts a thread with a worker of its own. It tells `ready` how the worker's start went.
    fn seat(self: &Arc<Self>, mut state: MutexGuard<'_, State>, ready: Option<Ready>) -> std::io::Result<()> {
        let idle = Counted::new(self, &mut state, |state| &mut state.idle);
        let counted = Counted::new(self, &mut state, |state| &mut state.seats);
        drop(state);
        let seat = Seat::new(self.clone());
        let name = format!("{} worker", self.language.name);
        thread::Builder::new().name(name).spawn(move || {
            let _counted = counted;
            seat.work(ready, idle);
        })?;
        Ok(())
    }

    /// Runs a script on a thread of its own.
    fn begin_background(self: &Arc<Self>, job: Job) -> Result<(), Refused> {
        let mut state = self.open()?;
        if state.background >= MAX_BACKGROUND {
            return Err(Refused::Full);
        }
        let counted = Counted::new(self, &mut state, |state| &mut state.background);
        drop(state);
        let mut seat = Seat::new(self.clone());
        let name = format!("{} script", self.language.name);
        let started = thread::Builder::new().name(name).spawn(move || {
            let _counted = counted;
            seat.run(job);
        });
        started.map(drop).map_err(no_thread)
    }

    /// The state, unless all end.
    fn open(&self) -> Result<MutexGuard<'_, State>, Refused> {
        let state = self.state.lock();
        if state.stopping { Err(Refused::Stopping) } else { Ok(state) }
    }

    /// The next script for an idle thread; waits for one. `None` when all end.
    fn next(&self) -> Option<Job> {
        let mut state = self.state.lock();
        loop {
            if state.stopping {
                return None;
            }
            if let Some(job) = state.waiting.pop_front() {
                state.idle -= 1;
                return Some(job);
            }
            self.news.wait(&mut state);
        }
    }

    /// A thread's script is over.
    fn ready_again(&self) {
        self.state.lock().idle += 1;
    }

    /// Waits; shorter when all end.
    fn pause(&self, time: Duration) {
        let mut state = self.state.lock();
        if !state.stopping && !time.is_zero() {
            let stopping = |state: &mut State| !state.stopping;
            self.stopped.wait_while_for(&mut state, stopping, time);
        }
    }
}

impl Engine for Pool {
    fn start(self: Arc<Self>, job: Job) -> Result<(), Refused> {
        if job.patience == Patience::Endless {
            return self.begin_background(job);
        }
        let mut state = self.open()?;
        if state.idle <= state.waiting.len() {
            if state.seats < self.settings.workers {
                self.seat(state, None).map_err(no_thread)?;
                state = self.open()?;
            } else if IN_SCRIPT.get() {
                // A script that runs another one would wait for its own worker.
                drop(state);
                return self.begin_background(job);
            } else if state.waiting.len() >= self.settings.queue + state.idle {
                return Err(Refused::Full);
            }
        }
        state.waiting.push_back(job);
        drop(state);
        self.news.notify_one();
        Ok(())
    }
}

/// Tells whoever waits for the script; the message may be gone meanwhile.
fn end(job: Job, outcome: Result<(), ScriptError>) {
    let _ = job.done.send(Finished { harvest: job.run.finish(), outcome });
}

fn no_thread(error: std::io::Error) -> Refused {
    tracing::error!("failed to start a thread for a script: {error}");
    Refused::Full
}

/// One of the threads there are, however it ends.
struct Counted {
    pool: Option<Arc<Pool>>,
    count: fn(&mut State) -> &mut usize,
}

impl Counted {
    fn new(pool: &Arc<Pool>, state: &mut State, count: fn(&mut State) -> &mut usize) -> Self {
        *count(state) += 1;
        Self { pool: Some(pool.clone()), count }
    }

    /// It stays counted.
    fn keep(mut self) {
        self.pool = None;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(pool) = &self.pool {
            *(self.count)(&mut pool.state.lock()) -= 1;
        }
    }
}

/// A thread and its worker.
struct Seat {
    pool: Arc<Pool>,
    worker: Option<Worker>,
    line: u64,
    /// Workers that failed in a row.
    failures: u32,
}

impl Seat {
    fn new(pool: Arc<Pool>) -> Self {
        Self { pool, worker: None, line: 0, failures: 0 }
    }

    /// `idle`: it is ready for a script, unless it fails before it asks for one.
    fn work(mut self, ready: Option<Ready>, idle: Counted) {
        let started = self.worker().map(|worker| worker.version.clone());
        let failed = started.is_err();
        if let Some(ready) = ready {
            // Whoever started the pool waits for it.
            let _ = ready.send(started);
            if failed {
                return;
            }
        }
        idle.keep();
        while let Some(job) = self.pool.next() {
            self.run(job);
            if self.worker.is_none() {
                self.pool.pause(pause(self.failures));
                // The next message need not wait for the interpreter to start. An error is told when it is needed.
                let _ = self.worker().map(drop);
            }
            self.pool.ready_again();
        }
    }

    fn run(&mut self, mut job: Job) {
        let limit = match job.patience {
            Patience::Limited => self.pool.settings.time_limit,
            Patience::Endless => None,
        };
        let outcome = match (self.pool.language.words)(&job.line) {
            Err(error) => Err(error),
            Ok(words) => match self.worker() {
                Ok(worker) => {
                    job.run.start(limit);
                    IN_SCRIPT.set(true);
                    let ended = dialogue::hold(worker, &words, &mut job.run, limit);
                    IN_SCRIPT.set(false);
                    self.heed(ended)
                }
                Err(error) => {
                    tracing::error!("failed to start a worker: {error}");
                    self.failures += 1;
                    Err(ScriptError::Lost("there is no worker for it"))
                }
            },
        };
        end(job, outcome);
    }

    fn heed(&mut self, ended: Ended) -> Result<(), ScriptError> {
        match ended {
            Ended::Ready(outcome) => {
                self.failures = 0;
                outcome
            }
            Ended::Broken(error) => {
                self.failures += 1;
                self.leave();
                Err(error)
            }
        }
    }

    /// The worker, started if there is none.
    fn worker(&mut self) -> Result<&mut Worker, StartError> {
        if self.worker.as_ref().is_some_and(|worker| !worker.is_alive()) {
            tracing::warn!("a {} worker ended while it had nothing to do", self.pool.language.name);
            self.leave();
        }
        if self.worker.is_none() {
            let worker = Worker::start(self.pool.language, &self.pool.settings)?;
            self.enter(&worker)?;
            self.worker = Some(worker);
        }
        Ok(self.worker.as_mut().expect("it was just put there"))
    }

    /// Has the pool know the line to the worker.
    fn enter(&mut self, worker: &Worker) -> Result<(), StartError> {
        let interpreter = || self.pool.settings.interpreter.clone();
        let line =
            worker.breaker().map_err(|error| StartError::System { interpreter: interpreter(), error })?;
        let mut state = self.pool.state.lock();
        if state.stopping {
            line.cut();
        }
        state.next_line += 1;
        self.line = state.next_line;
        state.lines.push((self.line, line));
        Ok(())
    }

    /// Ends the worker.
    fn leave(&mut self) {
        self.pool.state.lock().lines.retain(|(line, _)| *line != self.line);
        self.worker = None;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}

/// How long to wait before another worker is started.
fn pause(failures: u32) -> Duration {
    match failures {
        0 | 1 => Duration::ZERO,
        failures => PAUSE.saturating_mul(1 << (failures - 2).min(16)).min(LONGEST_PAUSE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        let pauses = [0, 1, 2, 3, 4, 7, 8, 40].map(|failures| pause(failures).as_millis());
        assert_eq!(pauses, [0, 0, 100, 200, 400, 3200, 5000, 5000]);
    }
}
