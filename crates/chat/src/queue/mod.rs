//! Messages that could not be delivered at once: kept in the store, tried again when a device of the recipient comes and
//! on a growing interval, until a device has them, refuses them for good, or their time is over.
//!
//! A recipient is a *line*. What waits in a line is tried in the order it came, one message at a time, by one *service* a
//! line; a message that a device refuses for the moment does not hold up those behind it, a recipient that does not answer
//! does. Times are kept by a clock that nobody steps.

mod clock;
mod keep;
mod lines;
mod outcome;
mod rounds;
mod seen;
mod serve;
mod settings;
mod take_over;
mod tell;
mod times;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use chappe_current::Current;
use chappe_store::{Change, MessageId, Micros, State, Store, StoreError};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::Instant;

use self::clock::SteadyClock;
use self::lines::Lines;
pub use self::seen::Before;
use self::seen::Seen;
use self::serve::Serving;
pub use self::settings::{OfflineCopy, QueueSettings};
pub(crate) use self::tell::{QUEUE_EVENT, STORE_EVENT};
use crate::{Router, Verdict};

/// Changes that the store did not take and that are tried again; beyond, a message may be sent twice.
const MAX_UNWRITTEN: usize = 100_000;

/// How long a message waits for a store that is being read.
const PATIENCE: Duration = Duration::from_secs(5);

/// The messages that wait.
pub struct Queue {
    router: Weak<Router>,
    store: Current<Option<Arc<dyn Store>>>,
    settings: Current<QueueSettings>,
    clock: OnceLock<SteadyClock>,
    lines: Mutex<Lines>,
    /// How many wait, for a look without the lock.
    waiting: AtomicU64,
    /// A store was named, and what it holds is being read.
    opening: AtomicBool,
    opened: Notify,
    unwritten: Mutex<HashMap<MessageId, Change>>,
    seen: Mutex<Seen>,
    remembers: AtomicBool,
    taken_over: Mutex<HashSet<MessageId>>,
    /// How many those are, for a look without the lock.
    taken_over_count: AtomicUsize,
}

impl Queue {
    pub(crate) fn new(router: Weak<Router>) -> Arc<Self> {
        Arc::new(Self {
            router,
            store: Current::default(),
            settings: Current::default(),
            clock: OnceLock::new(),
            lines: Mutex::default(),
            waiting: AtomicU64::new(0),
            opening: AtomicBool::new(false),
            opened: Notify::new(),
            unwritten: Mutex::default(),
            seen: Mutex::default(),
            remembers: AtomicBool::new(false),
            taken_over: Mutex::default(),
            taken_over_count: AtomicUsize::new(0),
        })
    }

    /// What holds from here on, for messages that wait already too, but for their own time.
    pub fn configure(&self, settings: QueueSettings) {
        self.settings.store(Arc::new(settings));
    }

    pub fn settings(&self) -> Arc<QueueSettings> {
        self.settings.load_full()
    }

    /// Where messages are kept; `None`: nowhere, or what is there is still being read.
    pub fn store(&self) -> Option<Arc<dyn Store>> {
        Option::clone(&self.store.load())
    }

    /// A store was named, and [`Queue::open`] will be called: until it is through, messages that need the store wait, for a
    /// few seconds at most.
    pub fn is_about_to_open(&self) {
        self.set_opening(true);
    }

    fn set_opening(&self, opening: bool) {
        self.opening.store(opening, Ordering::Release);
        if !opening {
            self.opened.notify_waiters();
        }
    }

    /// The store, once it has been read; `None` where there is none, or it takes too long.
    async fn opened_store(&self) -> Option<Arc<dyn Store>> {
        let opened = self.opened.notified();
        if self.opening.load(Ordering::Acquire) {
            // What happens in the end, the store says.
            let _ = tokio::time::timeout(PATIENCE, opened).await;
        }
        self.store()
    }

    /// Whether messages can be kept, once the store is read.
    pub(crate) fn is_there(&self) -> bool {
        self.store.load().is_some() || self.opening.load(Ordering::Acquire)
    }

    /// Messages that wait for a recipient, `user@domain` as the registrar has it, and that no device of it has.
    pub fn waiting(&self, recipient: &str) -> u64 {
        if self.is_empty() { 0 } else { self.lines.lock().waiting_for(recipient) }
    }

    /// A device of the recipient has come: what waits is delivered now. `fresh` says that it was not there before, so
    /// that there is no point in waiting for where it was.
    pub fn came(self: &Arc<Self>, recipient: &str, fresh: bool) {
        if !self.is_empty() {
            self.ask(recipient, fresh);
        }
    }

    /// What waits for the recipient is tried now.
    pub fn retry(self: &Arc<Self>, recipient: &str) {
        self.ask(recipient, false);
    }

    /// How long it is until the recipient is tried again by the clock; `None`: it is under way, or only a device that comes
    /// changes anything.
    pub fn next_attempt(&self, recipient: &str) -> Option<Duration> {
        let due = self.lines.lock().due(recipient)?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    /// Whether there may be something where the recipient is.
    pub fn may_reach(&self, recipient: &str) -> bool {
        self.router.upgrade().is_some_and(|router| router.may_reach(recipient))
    }

    /// Takes a message back. `Ok(false)`: it is not there, or it is final.
    pub async fn cancel(&self, id: &MessageId) -> Result<bool, StoreError> {
        let store = self.store().ok_or(StoreError::Closed)?;
        let Some(record) = store.get(id).await? else { return Ok(false) };
        let change = Change::Ended { at: self.now(), state: State::Cancelled, attempts: Vec::new() };
        let cancelled = store.change(id, change).await?;
        if cancelled {
            self.left(&record.summary);
            let verdict = Verdict { code: 487, reason: "Cancelled".into(), retry_after: None };
            self.tell_end(&record, State::Cancelled, &verdict, None);
        }
        Ok(cancelled)
    }

    /// Nothing waits at all.
    pub fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0
    }

    fn lines(&self) -> Locked<'_> {
        Locked { lines: self.lines.lock(), waiting: &self.waiting }
    }

    fn now(&self) -> Micros {
        match (self.clock.get(), self.router.upgrade()) {
            (Some(clock), _) => clock.now(),
            (None, Some(router)) => self.clock.get_or_init(|| SteadyClock::start(&*router.deps.clock)).now(),
            (None, None) => 0,
        }
    }

    /// Whether the message of this name was taken over just before the server started, so that its sender may not have heard
    /// of it and sends it again.
    pub fn remembers(&self, name: &str) -> bool {
        self.remembers.load(Ordering::Acquire) && self.seen.lock().is_taken(name)
    }

    fn ask(self: &Arc<Self>, recipient: &str, hurry: bool) {
        let begun = self.lines().ask(recipient, hurry);
        if let Some((recipient, hurry)) = begun {
            self.begin(recipient, hurry);
        }
    }

    fn begin(self: &Arc<Self>, recipient: Arc<str>, hurry: Arc<Notify>) {
        if let Some(router) = self.router.upgrade() {
            let serving = Serving::new(self.clone(), recipient, hurry);
            router.spawn(Box::pin(serving.run()));
        }
    }
}

/// The lines, whose count is told to those who look without the lock.
struct Locked<'q> {
    lines: MutexGuard<'q, Lines>,
    waiting: &'q AtomicU64,
}

impl std::ops::Deref for Locked<'_> {
    type Target = Lines;

    fn deref(&self) -> &Lines {
        &self.lines
    }
}

impl std::ops::DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Lines {
        &mut self.lines
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.waiting.store(self.lines.size(), Ordering::Release);
    }
}
