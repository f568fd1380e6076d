//! Which requests are known, by their transaction and as what others are copies of, and until when.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::matching::{MergeKey, ServerKey};
use super::remembered::{Remembered, Tick};

/// Ticks in a second.
const A_SECOND: u32 = 8;
const NANOS: u32 = 1_000_000_000 / A_SECOND;
/// Marks [`Known::Answered`] in a table; an index is smaller.
const ANSWERED: u32 = 1 << 31;

/// What is known of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Known {
    /// More than fits here, at this index of the owner's.
    Open(u32),
    /// It makes its answer again itself, with this code; 0: none was sent.
    Answered(u16),
}

impl Known {
    fn pack(self) -> u32 {
        match self {
            Self::Open(index) => index,
            Self::Answered(code) => ANSWERED | u32::from(code),
        }
    }

    fn unpack(value: u32) -> Self {
        if value & ANSWERED == 0 { Self::Open(value) } else { Self::Answered(value as u16) }
    }
}

/// The requests of a shard. One that is open is known until it is answered or forgotten, one that was answered for timer J, and
/// up to an eighth of a second longer.
#[derive(Debug)]
pub(super) struct Requests {
    by_key: Remembered<u32, 3, 3>,
    by_merge: Remembered<(), 2, 5>,
    /// Tick 1.
    start: Option<Instant>,
    since: Duration,
    now: Tick,
    timer_j: Duration,
    /// When how many that were answered end, the first one first.
    ends: VecDeque<(Tick, usize)>,
    answered: usize,
    /// Whether any was answered since memory was last looked after.
    used: bool,
}

impl Requests {
    /// For about so many requests.
    pub(super) fn for_most(requests: usize, timer_j: Duration) -> Self {
        Self {
            by_key: Remembered::for_most(requests),
            by_merge: Remembered::for_most(requests),
            start: None,
            since: Duration::ZERO,
            now: 1,
            timer_j,
            ends: VecDeque::new(),
            answered: 0,
            used: false,
        }
    }

    /// Those that were answered and are still known.
    pub(super) fn answered(&self) -> usize {
        self.answered
    }

    /// What is asked next is asked at this time.
    pub(super) fn set_now(&mut self, now: Instant) {
        self.since = now.saturating_duration_since(*self.start.get_or_insert(now)).max(self.since);
        self.now = 1 + ticks(self.since);
    }

    pub(super) fn find(&self, key: ServerKey) -> Option<Known> {
        self.by_key.find(self.now, &key.short()).map(Known::unpack)
    }

    /// RFC 3261 §8.2.2.2.
    pub(super) fn is_merged(&self, merge: MergeKey) -> bool {
        self.by_merge.find(self.now, &merge.words()).is_some()
    }

    /// Has the processor fetch where a request is looked for, and put.
    pub(super) fn bring_near(&self, key: ServerKey, merge: Option<MergeKey>) {
        self.by_key.bring_near(&key.short());
        if let Some(merge) = merge {
            self.by_merge.bring_near(&merge.words());
        }
    }

    /// Whoever owns an open request forgets it in less than this.
    fn later(&self) -> Tick {
        self.after(2 * self.timer_j)
    }

    /// A new request.
    pub(super) fn open(&mut self, key: ServerKey, merge: Option<MergeKey>, index: u32) {
        let until = self.later();
        self.by_key.insert(self.now, key.short(), until, Known::Open(index).pack());
        if let Some(merge) = merge {
            self.by_merge.insert(self.now, merge.words(), until, ());
        }
    }

    /// An open request has another index.
    pub(super) fn move_to(&mut self, key: ServerKey, merge: Option<MergeKey>, index: u32) {
        self.change(key, merge, self.later(), Known::Open(index));
    }

    fn change(&mut self, key: ServerKey, merge: Option<MergeKey>, until: Tick, known: Known) {
        self.by_key.change(self.now, &key.short(), until, known.pack());
        if let Some(merge) = merge {
            self.by_merge.change(self.now, &merge.words(), until, ());
        }
    }

    /// The first tick that is not before the end of this time.
    fn after(&self, time: Duration) -> Tick {
        2 + ticks((self.since + time).saturating_sub(Duration::from_nanos(1)))
    }

    /// An open request was answered, and is known by its code from here on.
    pub(super) fn answer(&mut self, key: ServerKey, merge: Option<MergeKey>, code: u16) {
        let until = self.after(self.timer_j);
        self.change(key, merge, until, Known::Answered(code));
        self.answered += 1;
        self.used = true;
        match self.ends.back_mut() {
            Some((last, count)) if *last >= until => *count += 1,
            _ => self.ends.push_back((until, 1)),
        }
    }

    /// An open request is forgotten.
    pub(super) fn forget(&mut self, key: ServerKey, merge: Option<MergeKey>) {
        self.by_key.remove(self.now, &key.short());
        if let Some(merge) = merge {
            self.forget_copies(merge);
        }
    }

    /// No request is a copy of this one any longer.
    pub(super) fn forget_copies(&mut self, merge: MergeKey) {
        self.by_merge.remove(self.now, &merge.words());
    }

    /// When the next end.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let (until, _) = self.ends.front()?;
        Some(self.start? + Duration::from_secs(1) * (until - 1) / A_SECOND)
    }

    /// Counts those off that have ended; each by itself has been unknown since.
    pub(super) fn handle_timeout(&mut self) {
        while let Some((_, count)) = self.ends.pop_front_if(|(until, _)| *until <= self.now) {
            self.answered -= count;
        }
    }

    /// Gives memory back; for when no request is known, however often that is.
    pub(super) fn settle(&mut self) {
        if std::mem::take(&mut self.used) {
            self.by_key.settle();
            self.by_merge.settle();
        }
    }
}

/// Whole ones.
fn ticks(time: Duration) -> Tick {
    let whole = time.as_secs() * u64::from(A_SECOND) + u64::from(time.subsec_nanos() / NANOS);
    whole.min(u64::from(Tick::MAX - 2)) as Tick
}
