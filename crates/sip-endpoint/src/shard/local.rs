//! Requests that a shard's own flows want to send: they stay on the thread.

use std::cell::{Cell, RefCell};

use super::forks::SendJob;

thread_local! {
    static PROFILE: Cell<u64> = const { Cell::new(0) };
    static JOBS: RefCell<Vec<Box<SendJob>>> = const { RefCell::new(Vec::new()) };
}

/// Says that the calling thread is a shard of this profile.
pub fn enter(profile: u64) {
    PROFILE.with(|id| id.set(profile));
}

/// Leaves the job for the calling shard if it is one of that profile, else hands it back.
pub fn submit_here(profile: u64, job: Box<SendJob>) -> Option<Box<SendJob>> {
    if PROFILE.with(Cell::get) != profile {
        return Some(job);
    }
    JOBS.with(|jobs| jobs.borrow_mut().push(job));
    None
}

/// What the flows left, in order, into an empty list.
pub fn take_into(list: &mut Vec<Box<SendJob>>) {
    JOBS.with(|jobs| std::mem::swap(&mut *jobs.borrow_mut(), list));
}

pub fn has_jobs() -> bool {
    JOBS.with(|jobs| !jobs.borrow().is_empty())
}
