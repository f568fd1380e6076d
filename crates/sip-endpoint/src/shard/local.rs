//! What a shard's own flows want: requests to send, work to go on with. It stays on the thread.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;

use super::forks::SendJob;

/// Work that nobody waits for.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Pieces of work that may wait for the shard; it takes them before it sleeps.
const SPAWNED: usize = 4096;

thread_local! {
    /// The profile whose shard this thread is; 0: none.
    static PROFILE: Cell<u64> = const { Cell::new(0) };
    static JOBS: RefCell<Vec<SendJob>> = const { RefCell::new(Vec::new()) };
    static WORK: RefCell<VecDeque<Work>> = const { RefCell::new(VecDeque::new()) };
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
    JOBS.with(|jobs| jobs.borrow_mut().push(*job));
    None
}

/// Lets the calling thread go on with the work, if it is a shard with room for it, else hands the work back.
/// The work may use tokio's timers and sockets.
pub fn spawn_here(work: Work) -> Option<Work> {
    if PROFILE.with(Cell::get) == 0 {
        return Some(work);
    }
    WORK.with(|list| {
        let mut list = list.borrow_mut();
        if list.len() >= SPAWNED {
            return Some(work);
        }
        list.push_back(work);
        None
    })
}

/// What the flows left, in order, into an empty list.
pub fn take_into(list: &mut Vec<SendJob>) {
    JOBS.with(|jobs| std::mem::swap(&mut *jobs.borrow_mut(), list));
}

pub fn next_spawned() -> Option<Work> {
    WORK.with(|list| list.borrow_mut().pop_front())
}

pub fn has_work() -> bool {
    JOBS.with(|jobs| !jobs.borrow().is_empty()) || WORK.with(|list| !list.borrow().is_empty())
}
