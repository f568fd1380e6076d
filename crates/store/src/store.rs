use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::{Change, Kept, KeptBinding, MessageId, Micros, Put, Record, State, StoreError, Summary};

/// What is under way in the store. It goes on when it is dropped.
pub type Done<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// Takes bindings, by the thousand; `false`: nobody wants more of them. May block, which holds up the store.
pub type Pieces = Box<dyn FnMut(Vec<KeptBinding>) -> bool + Send>;

/// Keeps messages and bindings.
///
/// Calls may come from any thread, block nobody and take effect in the order they are made, each wholly or not at all; what
/// only reads may also show what was asked while it was under way. A call beyond what may wait is [`StoreError::Busy`].
pub trait Store: Send + Sync {
    /// Keeps a message. `Ok` says that it is on the disk.
    fn put(&self, kept: Kept) -> Done<Put>;

    /// Writes down what happened to a message. `Ok(false)`: it is not there or final, so nothing was written.
    fn change(&self, id: &MessageId, change: Change) -> Done<bool>;

    /// The recipient's messages that wait and whose time has come, in their order, from the first whose place is higher
    /// than `after`; at most `limit`. A message that is damaged is left out, logged, and [`State::Refused`] from then on.
    fn waiting(&self, recipient: &str, now: Micros, after: i64, limit: usize) -> Done<Vec<Record>>;

    /// Messages in [`State::Accepted`] from the first whose place is higher than `after`, in their order; at most `limit`.
    fn accepted(&self, after: i64, limit: usize) -> Done<Vec<Record>>;

    /// Every recipient for whom something waits, in no particular order.
    fn lines(&self) -> Done<Vec<Line>>;

    /// Recipients with a waiting message whose `not_before` is in (`after`, `until`].
    fn become_due(&self, after: Micros, until: Micros) -> Done<Vec<Arc<str>>>;

    /// Ends messages that are not final and whose time is over by `now`, at most `limit`, as [`State::Expired`]; those that
    /// a device has (an attempt with a 2xx) as [`State::Delivered`]. What they were, as they stand then.
    fn expire(&self, now: Micros, limit: usize) -> Done<Vec<Record>>;

    /// One message.
    fn get(&self, id: &MessageId) -> Done<Option<Record>>;

    /// Messages in their order, from the first whose place is higher than `after`; at most `limit`.
    fn list(&self, filter: Filter, after: i64, limit: usize) -> Done<Vec<Summary>>;

    /// How many there are.
    fn counts(&self) -> Done<Counts>;

    /// Forgets final messages that ended before `before`; at most `limit`. How many went.
    fn purge(&self, before: Micros, limit: usize) -> Done<u64>;

    /// Keeps a binding, or what became of it. A later call for the same key replaces an earlier one that is not written
    /// yet, so that many refreshes cost one write.
    fn bind(&self, binding: KeptBinding);

    /// Forgets a binding.
    fn unbind(&self, profile: &str, aor: &str, contact: &str, flow: &str);

    /// Hands out the bindings of a profile that are live at `now`, in the order of users, contacts and flows, a user's never in two
    /// pieces; those that are not live are forgotten. After a fault they may come again from the first.
    fn each_binding(&self, profile: &str, now: Micros, pieces: Pieces) -> Done<()>;

    /// The same, all at once.
    fn bindings(&self, profile: &str, now: Micros) -> Done<Vec<KeptBinding>> {
        let all = Arc::new(Mutex::new(Vec::new()));
        let pieces = all.clone();
        let done = self.each_binding(
            profile,
            now,
            Box::new(move |piece| {
                pieces.lock().extend(piece);
                true
            }),
        );
        Box::pin(async move { done.await.map(|()| std::mem::take(&mut *all.lock())) })
    }

    /// The latest messages, whatever their state, that were accepted at `since` or later; at most `limit`.
    fn recent(&self, since: Micros, limit: usize) -> Done<Vec<MessageId>>;

    /// Whether changes are refused at the moment, and why.
    fn trouble(&self) -> Option<StoreError>;

    /// Resolves when everything asked so far is done; with [`Store::trouble`], at once and with it.
    fn flush(&self) -> Done<()>;
}

/// A recipient and what waits for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub recipient: Arc<str>,
    /// Waiting messages, whether their time has come or not.
    pub count: u64,
    /// The earliest `not_before` among them.
    pub not_before: Micros,
}

/// Which messages are wanted. What is `None` does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    pub recipient: Option<Box<str>>,
    pub sender: Option<Box<str>>,
    pub state: Option<State>,
}

/// Messages by state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    by_state: [u64; State::ALL.len()],
}

impl Counts {
    pub fn of(&self, state: State) -> u64 {
        self.by_state[state as usize]
    }

    pub fn set(&mut self, state: State, count: u64) {
        self.by_state[state as usize] = count;
    }

    /// Accepted or waiting.
    pub fn unfinished(&self) -> u64 {
        self.of(State::Accepted) + self.of(State::Waiting)
    }
}
