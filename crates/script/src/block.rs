//! Waiting for a future on a script's thread.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How often a thread that waits looks whether scripts are being stopped.
const LOOK: Duration = Duration::from_millis(100);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    static WAKER: Waker = Waker::from(Arc::new(Unpark(thread::current())));
}

/// Runs `future` to its end on this thread; `None` when `until` comes first, or `stop` says so. Unlike a runtime's, it
/// may be called while another one waits further up on the same thread.
pub fn on<F: Future>(future: F, until: Option<Instant>, stop: impl Fn() -> bool) -> Option<F::Output> {
    let mut future = pin!(future);
    WAKER.with(|waker| {
        let mut context = Context::from_waker(waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Some(output);
            }
            let left = until.map_or(LOOK, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() || stop() {
                return None;
            }
            thread::park_timeout(left.min(LOOK));
        }
    })
}
