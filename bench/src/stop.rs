//! The end of a thread that goes on until it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells the thread when dropped, so that one is told also when its row has failed.
pub struct Stop(Arc<AtomicBool>);

/// What the thread looks at.
pub struct Told(Arc<AtomicBool>);

pub fn stop() -> (Stop, Told) {
    let stop = Arc::new(AtomicBool::new(false));
    (Stop(stop.clone()), Told(stop))
}

impl Told {
    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}
