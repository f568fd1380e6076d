//! The flows of one shard: a single-threaded executor over a bounded slab.
//!
//! A flow is polled for the first time when its turn has come, after those that began before it. Many end there; the others
//! keep their slot until they are woken. A waker belongs to the slot, not to the flow, so it is made once: a wake
//! that is late finds another flow and polls it once for nothing. A flow that panics has ended; the others go on.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crossbeam_queue::SegQueue;

use crate::transport::mmsg::EventFd;

thread_local! {
    static CURRENT: Cell<u64> = const { Cell::new(0) };
}

/// Slots that have something to do, and the way to wake their thread.
pub struct ReadyQueue {
    id: u64,
    slots: SegQueue<u32>,
    wake: Arc<EventFd>,
}

struct SlotWaker {
    slot: u32,
    ready: Arc<ReadyQueue>,
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready.slots.push(self.slot);
        // The shard's own thread looks at the queue before it sleeps.
        if CURRENT.with(Cell::get) != self.ready.id {
            self.ready.wake.signal();
        }
    }
}

/// What a flow ended with, `None`: it has panicked; and what its owner wanted to be handed back.
pub type Ended<T, K> = (Option<T>, K);

type BoxedFlow<T> = Pin<Box<dyn Future<Output = T> + Send>>;

struct Slot<T, K> {
    flow: Option<(BoxedFlow<T>, K)>,
    waker: Waker,
}

/// `T` is what a flow ends with, `K` what its owner wants to be handed back then.
pub struct Flows<T, K> {
    slots: Vec<Slot<T, K>>,
    free: Vec<u32>,
    /// Those that were not polled yet, in order.
    fresh: VecDeque<u32>,
    limit: usize,
    ready: Arc<ReadyQueue>,
}

impl<T, K> Flows<T, K> {
    /// `id` names the shard's thread and is not 0.
    pub fn new(id: u64, limit: usize, wake: Arc<EventFd>) -> Self {
        let ready = Arc::new(ReadyQueue { id, slots: SegQueue::new(), wake });
        Self { slots: Vec::new(), free: Vec::new(), fresh: VecDeque::new(), limit, ready }
    }

    /// Says that the calling thread is the one that polls these flows.
    pub fn enter(&self) {
        CURRENT.with(|current| current.set(self.ready.id));
    }

    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub fn is_full(&self) -> bool {
        self.len() >= self.limit
    }

    /// Takes the flow on; [`next`](Self::next) polls it. The caller has asked [`is_full`](Self::is_full) before.
    pub fn start(&mut self, flow: BoxedFlow<T>, key: K) {
        let slot = self.free.pop().unwrap_or_else(|| self.grow());
        self.slots[slot as usize].flow = Some((flow, key));
        self.fresh.push_back(slot);
    }

    fn grow(&mut self) -> u32 {
        let slot = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        let waker = Waker::from(Arc::new(SlotWaker { slot, ready: self.ready.clone() }));
        self.slots.push(Slot { flow: None, waker });
        slot
    }

    fn poll(&mut self, index: u32) -> Option<Ended<T, K>> {
        let slot = &mut self.slots[index as usize];
        let (flow, _) = slot.flow.as_mut()?;
        let poll = || flow.as_mut().poll(&mut Context::from_waker(&slot.waker));
        let end = match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(Poll::Pending) => return None,
            Ok(Poll::Ready(end)) => Some(end),
            Err(_) => None,
        };
        let (_, key) = slot.flow.take()?;
        self.free.push(index);
        Some((end, key))
    }

    /// Polls a flow that is new or was woken. `None`: nobody else is awake.
    pub fn next(&mut self) -> Option<Option<Ended<T, K>>> {
        let index = self.fresh.pop_front().or_else(|| self.ready.slots.pop())?;
        Some(self.poll(index))
    }

    pub fn has_ready(&self) -> bool {
        !self.fresh.is_empty() || !self.ready.slots.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    fn flows() -> Flows<u32, &'static str> {
        let flows = Flows::new(1, 2, Arc::new(EventFd::new().unwrap()));
        flows.enter();
        flows
    }

    #[test]
    fn a_flow_that_waits_for_nothing_ends_at_its_first_poll() {
        let mut flows = flows();
        flows.start(Box::pin(async { 7 }), "a");
        assert!(flows.has_ready());
        assert_eq!(flows.next(), Some(Some((Some(7), "a"))));
        assert_eq!(flows.len(), 0);
    }

    #[test]
    fn a_paused_flow_holds_up_no_other_and_ends_when_woken() {
        let mut flows = flows();
        let (answer, question) = oneshot::channel();
        flows.start(Box::pin(async { question.await.unwrap() }), "slow");
        flows.start(Box::pin(async { 1 }), "quick");
        assert_eq!([flows.next(), flows.next()], [Some(None), Some(Some((Some(1), "quick")))]);
        assert!(!flows.has_ready());
        answer.send(2).unwrap();
        assert_eq!(flows.next(), Some(Some((Some(2), "slow"))));
        assert_eq!(flows.next(), None);
    }

    #[test]
    fn a_flow_that_panics_has_ended_and_leaves_its_slot() {
        let mut flows = flows();
        flows.start(Box::pin(async { panic!("a fault") }), "faulty");
        flows.start(Box::pin(async { 1 }), "sound");
        assert_eq!(
            [flows.next(), flows.next()],
            [Some(Some((None, "faulty"))), Some(Some((Some(1), "sound")))]
        );
        assert_eq!((flows.len(), flows.slots.len()), (0, 2));
    }

    #[test]
    fn the_slab_is_bounded_and_slots_are_used_again() {
        let mut flows = flows();
        for _ in 0..2 {
            flows.start(Box::pin(std::future::pending()), "stuck");
            assert_eq!(flows.next(), Some(None));
        }
        assert!(flows.is_full());
        assert_eq!(flows.slots.len(), 2);
    }

    #[test]
    fn a_wake_from_another_thread_signals_the_shard() {
        let mut flows = flows();
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let poller = crate::transport::mmsg::Poller::new(&socket, None, &flows.ready.wake).unwrap();
        let (answer, question) = oneshot::channel();
        flows.start(Box::pin(async { question.await.unwrap() }), "far");
        assert_eq!(flows.next(), Some(None));
        std::thread::spawn(move || answer.send(3).unwrap()).join().unwrap();
        assert!(poller.wait(None).wake);
        assert_eq!(flows.next(), Some(Some((Some(3), "far"))));
    }
}
