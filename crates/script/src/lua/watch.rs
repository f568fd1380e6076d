//! Scripts that can't be stopped.
//!
//! A script that waits for the machine (a command it runs, a file that is a pipe) looks at no clock. Whoever waits for
//! it is told that it is lost, and another thread takes its thread's place; its own ends with it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{Finished, Harvest, ScriptError};

/// How long a script may be late before it is given up.
const GRACE: Duration = Duration::from_secs(1);

/// What one thread is busy with.
#[derive(Default)]
pub(super) struct Busy(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Who waits for the script, and until when.
    waiting: Option<(Option<Instant>, oneshot::Sender<Finished>)>,
}

impl Busy {
    pub(super) fn begin(&self, limit: Option<Duration>, done: oneshot::Sender<Finished>) {
        let until = limit.map(|limit| Instant::now() + limit + GRACE);
        self.0.lock().waiting = Some((until, done));
    }

    /// Tells who waits. False when the script was given up: then the thread has been replaced.
    pub(super) fn end(&self, finished: Finished) -> bool {
        let waiting = self.0.lock().waiting.take();
        match waiting {
            Some((_, done)) => {
                // Nobody may be listening any more.
                let _ = done.send(finished);
                true
            }
            None => false,
        }
    }

    /// Gives the script up if it is late; whether it did.
    fn look(&self, now: Instant) -> bool {
        let mut inner = self.0.lock();
        let late = matches!(&inner.waiting, Some((Some(until), _)) if *until <= now);
        if !late {
            return false;
        }
        let waiting = inner.waiting.take();
        drop(inner);
        if let Some((_, done)) = waiting {
            let outcome = Err(ScriptError::Lost("it waits for something and can't be stopped"));
            let _ = done.send(Finished { harvest: Harvest::default(), outcome });
        }
        true
    }
}

/// Every thread that there is.
#[derive(Default)]
pub(super) struct Watch(Mutex<Vec<Arc<Busy>>>);

impl Watch {
    pub(super) fn add(&self) -> Arc<Busy> {
        let busy = Arc::new(Busy::default());
        self.0.lock().push(busy.clone());
        busy
    }

    /// Gives up what is late; how many threads have to be replaced.
    pub(super) fn look(&self) -> usize {
        let now = Instant::now();
        let mut threads = self.0.lock();
        let before = threads.len();
        threads.retain(|busy| !busy.look(now));
        before - threads.len()
    }
}
