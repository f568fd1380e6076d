//! A sender who waits while apps are at work on the message: after a while the message is taken over.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use chappe_event::Event;

use crate::{Routed, Router, Verdict, flow};

/// Who waits for a message's outcome.
#[derive(Default)]
pub(crate) struct Asker {
    taken_over: AtomicBool,
}

/// Routes a message for a sender who waits.
pub(crate) async fn route(router: Arc<Router>, message: Event) -> Routed {
    let asker = Arc::new(Asker::default());
    let asking = asker.clone();
    let mut work =
        Some(Box::pin(async move { flow::run_for(&router, message, Some(&asking)).await.verdict }));
    poll_fn(move |context| {
        let Some(routing) = work.as_mut() else { return Poll::Pending };
        match routing.as_mut().poll(context) {
            Poll::Ready(_) if asker.is_told() => Poll::Ready(Routed::Done(Verdict::ACCEPTED)),
            Poll::Ready(verdict) => Poll::Ready(Routed::Done(verdict)),
            Poll::Pending if asker.is_told() => {
                let Some(rest) = work.take() else { return Poll::Pending };
                let rest = Box::pin(async move { drop(rest.await) });
                Poll::Ready(Routed::TakenOver(Verdict::ACCEPTED, rest))
            }
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

impl Asker {
    fn is_told(&self) -> bool {
        self.taken_over.load(Ordering::Acquire)
    }

    /// Whether the message is to be taken over when it takes long.
    pub(crate) fn would_take_over(&self, router: &Router) -> bool {
        !self.is_told() && !router.quirks().accept_always && router.queue().is_there()
    }

    /// Waits for the work. After [`Settings::accept_after`](crate::Settings) the message, as it was `before`, is written to
    /// the disk, and its sender waits no longer.
    pub(crate) async fn wait<T>(
        &self,
        router: &Arc<Router>,
        before: &Event,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::time::sleep(router.settings().accept_after) => {}
        }
        if router.queue().take_over(before).await {
            self.taken_over.store(true, Ordering::Release);
        }
        work.await
    }
}
