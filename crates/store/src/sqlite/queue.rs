//! What waits to be written.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::bindings::BindingKey;
use super::job::Job;
use crate::{KeptBinding, StoreError};

/// Changes in one transaction.
const BATCH: usize = 1024;
/// Octets in one transaction, give or take a message.
const BATCH_OCTETS: usize = 8 << 20;
/// Octets that may wait; beyond: [`StoreError::Busy`].
const MAX_OCTETS: usize = 64 << 20;
/// Bindings that may wait; beyond, those that have not been waiting are lost: their devices register again.
const MAX_BINDINGS: usize = 1_000_000;
/// Bindings written along with a batch.
const BATCH_BINDINGS: usize = 1024;

/// Jobs in the order they were asked for, and bindings, the last state of each. Both are bounded, see above.
pub struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    max_jobs: usize,
    /// How long bindings wait for company.
    linger: Duration,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<(Box<dyn Job>, usize)>,
    octets: usize,
    /// How many jobs there ever were.
    asked: u64,
    /// `None`: to be removed.
    bindings: HashMap<BindingKey, Option<KeptBinding>>,
    bindings_due: Option<Instant>,
    closed: bool,
}

/// What goes into the next transaction.
pub struct Batch {
    pub jobs: Vec<Box<dyn Job>>,
    pub bindings: Vec<(BindingKey, Option<KeptBinding>)>,
}

impl Queue {
    pub fn new(max_jobs: usize, linger: Duration) -> Self {
        Self { state: Mutex::default(), wake: Condvar::new(), max_jobs, linger }
    }

    /// Adds a job that holds so many octets.
    pub fn push(&self, job: Box<dyn Job>, octets: usize) -> Result<(), StoreError> {
        self.push_where(|_| {}, job, octets)
    }

    /// [`push`](Self::push); all bindings that wait are written no later than it.
    pub fn push_behind_bindings(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let at_once = |state: &mut State| {
            if !state.bindings.is_empty() {
                state.bindings_due = Some(Instant::now());
            }
        };
        self.push_where(at_once, job, 0)
    }

    fn push_where(
        &self,
        prepare: impl FnOnce(&mut State),
        job: Box<dyn Job>,
        octets: usize,
    ) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(StoreError::Closed);
        }
        if state.jobs.len() >= self.max_jobs || (state.octets > 0 && state.octets + octets > MAX_OCTETS) {
            return Err(StoreError::Busy);
        }
        prepare(&mut state);
        state.octets += octets;
        state.asked += 1;
        state.jobs.push_back((job, octets));
        // The writer sleeps only when there was nothing.
        let first = state.jobs.len() == 1;
        drop(state);
        if first {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Puts what becomes of a binding in the place of what was to become of it.
    pub fn bind(&self, key: BindingKey, binding: Option<KeptBinding>) {
        let mut state = self.state.lock();
        if state.closed || (state.bindings.len() >= MAX_BINDINGS && !state.bindings.contains_key(&key)) {
            return;
        }
        state.bindings.insert(key, binding);
        if state.bindings_due.is_none() {
            state.bindings_due = Some(Instant::now() + self.linger);
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Bindings that could not be written wait again, but for those about which there is later news.
    pub fn restore(&self, bindings: Vec<(BindingKey, Option<KeptBinding>)>) {
        let mut state = self.state.lock();
        if state.closed || bindings.is_empty() {
            return;
        }
        for (key, binding) in bindings {
            state.bindings.entry(key).or_insert(binding);
        }
        state.bindings_due = Some(Instant::now() + self.linger);
    }

    /// How many jobs there ever were.
    pub fn asked(&self) -> u64 {
        self.state.lock().asked
    }

    /// Waits for something to do, until `deadline` at most; `None`: the queue is closed and empty.
    pub fn take(&self, deadline: Option<Instant>) -> Option<Batch> {
        let mut state = self.state.lock();
        loop {
            if !state.jobs.is_empty() {
                break;
            }
            if state.closed {
                if state.bindings.is_empty() {
                    return None;
                }
                break;
            }
            let until = [deadline, state.bindings_due].into_iter().flatten().min();
            match until {
                Some(until) if until <= Instant::now() => break,
                Some(until) => drop(self.wake.wait_until(&mut state, until)),
                None => self.wake.wait(&mut state),
            }
        }
        Some(Batch { bindings: state.take_bindings(), jobs: state.take_jobs() })
    }

    /// Nothing comes any more; what waits can be taken.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.wake.notify_one();
    }

    /// Nothing comes any more, and what waits is let go.
    pub fn abandon(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.bindings.clear();
        let jobs = std::mem::take(&mut state.jobs);
        drop(state);
        drop(jobs);
    }
}

impl State {
    fn take_jobs(&mut self) -> Vec<Box<dyn Job>> {
        let mut jobs = Vec::with_capacity(self.jobs.len().min(BATCH));
        let mut taken = 0;
        while jobs.len() < BATCH && taken < BATCH_OCTETS {
            let Some((job, octets)) = self.jobs.pop_front() else { break };
            jobs.push(job);
            taken += octets;
        }
        self.octets -= taken;
        jobs
    }

    /// All of them when they are due, else some, for company.
    fn take_bindings(&mut self) -> Vec<(BindingKey, Option<KeptBinding>)> {
        let due = self.closed || self.bindings_due.is_some_and(|due| due <= Instant::now());
        if due || self.bindings.len() <= BATCH_BINDINGS {
            self.bindings_due = None;
            return self.bindings.drain().collect();
        }
        self.bindings.extract_if(|_, _| true).take(BATCH_BINDINGS).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault::Fault;
    use super::super::writing::Writing;
    use super::*;

    struct Nothing;

    impl Job for Nothing {
        fn run(&mut self, _: &Writing) -> Result<(), Fault> {
            Ok(())
        }

        fn end(self: Box<Self>, _: Result<(), StoreError>) {}
    }

    fn queue() -> Queue {
        Queue::new(2000, Duration::from_secs(3600))
    }

    fn key(number: usize) -> BindingKey {
        ("profile".into(), "user".into(), number.to_string().into())
    }

    #[test]
    fn it_is_full_by_number_and_by_octets() {
        let queue = queue();
        for _ in 0..2000 {
            queue.push(Box::new(Nothing), 0).unwrap();
        }
        assert_eq!(queue.push(Box::new(Nothing), 0), Err(StoreError::Busy));
        assert_eq!(queue.take(None).unwrap().jobs.len(), BATCH);
        assert_eq!(queue.take(None).unwrap().jobs.len(), 2000 - BATCH);
        queue.push(Box::new(Nothing), 2 * MAX_OCTETS).unwrap();
        assert_eq!(queue.push(Box::new(Nothing), 1), Err(StoreError::Busy), "but one alone always fits");
        queue.take(None).unwrap();
        for _ in 0..3 {
            queue.push(Box::new(Nothing), BATCH_OCTETS / 2).unwrap();
        }
        assert_eq!(queue.take(None).unwrap().jobs.len(), 2);
        assert_eq!(queue.asked(), 2004);
    }

    #[test]
    fn the_last_word_about_a_binding_counts() {
        let queue = queue();
        queue.bind(key(1), None);
        queue.bind(key(2), None);
        queue.push_behind_bindings(Box::new(Nothing)).unwrap();
        let batch = queue.take(None).unwrap();
        assert_eq!((batch.jobs.len(), batch.bindings.len()), (1, 2));
        let binding = crate::KeptBinding {
            profile: "profile".into(),
            aor: "user".into(),
            contact: "1".into(),
            q: 0,
            expires: 0,
            since: 0,
            call_id: "".into(),
            cseq: 1,
            path: Vec::new(),
            received: ([127, 0, 0, 1], 5060).into(),
            transport: "UDP".into(),
            user_agent: "".into(),
        };
        queue.bind(key(1), Some(binding.clone()));
        queue.restore(batch.bindings);
        queue.push(Box::new(Nothing), 0).unwrap();
        let mut bindings = queue.take(None).unwrap().bindings;
        bindings.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(bindings, [(key(1), Some(binding)), (key(2), None)]);
    }

    #[test]
    fn many_bindings_do_not_hold_up_a_message() {
        let queue = queue();
        (0..3 * BATCH_BINDINGS).for_each(|number| queue.bind(key(number), None));
        queue.push(Box::new(Nothing), 0).unwrap();
        assert_eq!(queue.take(None).unwrap().bindings.len(), BATCH_BINDINGS);
        queue.push_behind_bindings(Box::new(Nothing)).unwrap();
        assert_eq!(queue.take(None).unwrap().bindings.len(), 2 * BATCH_BINDINGS);
    }

    #[test]
    fn a_closed_queue_gives_what_it_has() {
        let queue = queue();
        queue.push(Box::new(Nothing), 0).unwrap();
        queue.bind(key(1), None);
        queue.close();
        assert_eq!(queue.push(Box::new(Nothing), 0), Err(StoreError::Closed));
        assert_eq!(queue.take(None).unwrap().bindings.len(), 1);
        assert!(queue.take(None).is_none());
    }
}
