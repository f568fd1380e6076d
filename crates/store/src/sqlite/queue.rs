//! What waits to be written.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::job::Job;
use crate::binding::BindingKey;
use crate::{KeptBinding, StoreError};

/// Changes in one transaction.
const BATCH: usize = 1024;
/// Octets in one transaction, give or take a message.
const BATCH_OCTETS: usize = 8 << 20;
/// Octets that may wait; beyond: [`StoreError::Busy`].
const MAX_OCTETS: usize = 64 << 20;
/// Bindings that may wait; beyond, those that have not been waiting are lost: their devices register again.
const MAX_BINDINGS: usize = 1_000_000;
/// Bindings written along with a batch while they wait for company.
const BATCH_BINDINGS: usize = 1024;
/// Bindings in one transaction: many devices that register at once do not hold up a message for long.
const MOST_BINDINGS: usize = 4096;

/// Jobs in the order they were asked for, and bindings, the last state of each. Both are bounded, see above.
pub struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    /// Bindings that are due and did not fit into a transaction. They are the writer's, so nobody waits while it sorts them.
    aside: Mutex<VecDeque<Binding>>,
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
    /// Those that are not due.
    bindings: HashMap<BindingKey, Option<KeptBinding>>,
    /// How many are set aside.
    aside: usize,
    bindings_due: Option<Instant>,
    /// A job waits for all of them to be written.
    behind: bool,
    closed: bool,
}

/// A binding's key and what becomes of it; `None`: it is to be removed.
type Binding = (BindingKey, Option<KeptBinding>);

/// What goes into the next transaction.
pub struct Batch {
    pub jobs: Vec<Box<dyn Job>>,
    pub bindings: Vec<Binding>,
}

impl Queue {
    pub fn new(max_jobs: usize, linger: Duration) -> Self {
        Self { state: Mutex::default(), wake: Condvar::new(), aside: Mutex::default(), max_jobs, linger }
    }

    /// Adds a job that holds so many octets.
    pub fn push(&self, job: Box<dyn Job>, octets: usize) -> Result<(), StoreError> {
        self.push_where(|_| {}, job, octets)
    }

    /// [`push`](Self::push); all bindings that wait are written no later than it.
    pub fn push_behind_bindings(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let at_once = |state: &mut State| {
            state.behind |= !state.bindings.is_empty();
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
        if state.closed
            || (state.bindings.len() + state.aside >= MAX_BINDINGS && !state.bindings.contains_key(&key))
        {
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
    pub fn restore(&self, bindings: Vec<Binding>) {
        let mut state = self.state.lock();
        if state.closed || bindings.is_empty() {
            return;
        }
        // Of two about one binding the later one counts.
        for (key, binding) in bindings.into_iter().rev() {
            state.bindings.entry(key).or_insert(binding);
        }
        state.bindings_due = Some(Instant::now() + self.linger);
    }

    /// How many jobs there ever were.
    pub fn asked(&self) -> u64 {
        self.state.lock().asked
    }

    /// Waits for something to do, until `deadline` at most; `None`: the queue is closed and empty. For the writer alone.
    pub fn take(&self, deadline: Option<Instant>) -> Option<Batch> {
        let mut aside = self.aside.lock();
        let mut state = self.state.lock();
        loop {
            if !state.jobs.is_empty() || !aside.is_empty() {
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
        let jobs = state.take_jobs();
        let all = state.closed || state.behind;
        let due = state.bindings_due.is_some_and(|due| due <= Instant::now());
        let fresh = match (all, aside.is_empty()) {
            (true, _) => state.take_bindings(),
            (false, true) if due => state.take_bindings(),
            (false, true) => state.take_company(),
            (false, false) => HashMap::new(),
        };
        let most = if all { usize::MAX } else { MOST_BINDINGS };
        state.aside = (aside.len() + fresh.len()).saturating_sub(most);
        // Whoever binds meanwhile does not wait for what follows.
        drop(state);
        // What was set aside is older than what there is about the same bindings now.
        aside.extend(sorted(fresh));
        let written = aside.len().min(most);
        let bindings = aside.drain(..written).collect();
        if aside.is_empty() {
            // The memory of a storm is given back.
            *aside = VecDeque::new();
        }
        Some(Batch { jobs, bindings })
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

    /// Some that are not due, for company.
    fn take_company(&mut self) -> HashMap<BindingKey, Option<KeptBinding>> {
        if self.bindings.len() <= BATCH_BINDINGS {
            return self.take_bindings();
        }
        self.bindings.extract_if(|_, _| true).take(BATCH_BINDINGS).collect()
    }

    fn take_bindings(&mut self) -> HashMap<BindingKey, Option<KeptBinding>> {
        (self.bindings_due, self.behind) = (None, false);
        std::mem::take(&mut self.bindings)
    }
}

/// In the order of their keys: neighbours in the file one after the other.
fn sorted(bindings: HashMap<BindingKey, Option<KeptBinding>>) -> Vec<Binding> {
    let mut bindings: Vec<_> = bindings.into_iter().collect();
    bindings.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    bindings
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
        ("profile".into(), "user".into(), number.to_string().into(), Box::default())
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
            flow: "".into(),
            is_nat: false,
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
        let hurried = Queue::new(2000, Duration::ZERO);
        (0..2 * MOST_BINDINGS + 1).for_each(|number| hurried.bind(key(number), None));
        let taken = [(); 3].map(|()| hurried.take(None).unwrap().bindings.len());
        assert_eq!(taken, [MOST_BINDINGS, MOST_BINDINGS, 1]);
    }

    #[test]
    fn neighbours_are_written_together() {
        let queue = queue();
        (0..500).for_each(|number| queue.bind(key(number * 7919 % 500), None));
        queue.push(Box::new(Nothing), 0).unwrap();
        assert!(queue.take(None).unwrap().bindings.is_sorted_by_key(|(key, _)| key.clone()));
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
