use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::binding::BindingKey;
use crate::{
    Attempt, Change, Counts, Done, Filter, Kept, KeptBinding, Line, MessageId, Micros, Pieces, Put, Record,
    State, Store, StoreError, Summary,
};

/// Keeps everything in memory: for tests, and for who wants deferred delivery without a disk. It survives nothing.
#[derive(Default)]
pub struct MemoryStore {
    rows: Mutex<Rows>,
    trouble: Mutex<Option<StoreError>>,
}

#[derive(Default)]
struct Rows {
    /// By place.
    messages: BTreeMap<i64, Row>,
    places: HashMap<MessageId, i64>,
    origins: HashMap<u128, i64>,
    bindings: BTreeMap<BindingKey, KeptBinding>,
    last: i64,
}

struct Row {
    origin: Option<u128>,
    record: Record,
}

impl MemoryStore {
    /// Changes are refused with this from here on; `None`: no longer. For tests.
    pub fn set_trouble(&self, trouble: Option<StoreError>) {
        *self.trouble.lock() = trouble;
    }

    fn change<T: Send + 'static>(&self, change: impl FnOnce(&mut Rows) -> T) -> Done<T> {
        let result = match self.trouble() {
            Some(error) => Err(error),
            None => Ok(change(&mut self.rows.lock())),
        };
        Box::pin(std::future::ready(result))
    }

    fn read<T: Send + 'static>(&self, read: impl FnOnce(&Rows) -> T) -> Done<T> {
        Box::pin(std::future::ready(Ok(read(&self.rows.lock()))))
    }
}

impl Rows {
    fn put(&mut self, kept: Kept) -> Put {
        let known = kept.origin.and_then(|origin| self.origins.get(&origin)).or(self.places.get(&kept.id));
        if let Some(row) = known.and_then(|place| self.messages.get(place)) {
            return Put::Known(row.record.summary.id.clone(), row.record.summary.state);
        }
        self.last += 1;
        self.places.insert(kept.id.clone(), self.last);
        if let Some(origin) = kept.origin {
            self.origins.insert(origin, self.last);
        }
        let mut summary = Summary {
            place: self.last,
            id: kept.id,
            recipient: kept.recipient,
            sender: kept.sender,
            state: kept.state,
            accepted: kept.accepted,
            not_before: kept.not_before,
            expires: kept.expires,
            ended: 0,
            attempts: Vec::new(),
            tries: 0,
        };
        summary.tried(kept.attempts);
        let record = Record { summary, message: Some(kept.message) };
        self.messages.insert(self.last, Row { origin: kept.origin, record });
        Put::Stored
    }

    fn change(&mut self, id: &MessageId, change: Change) -> bool {
        let row = self.places.get(id).and_then(|place| self.messages.get_mut(place));
        let Some(record) = row.map(|row| &mut row.record).filter(|record| !record.summary.state.is_final())
        else {
            return false;
        };
        let summary = &mut record.summary;
        match change {
            Change::Tried(attempts) => summary.tried(attempts),
            Change::Planned { recipient, not_before, message, attempts } => {
                summary.tried(attempts);
                summary.recipient = recipient;
                summary.not_before = not_before;
                summary.state = State::Waiting;
                record.message = Some(message);
            }
            Change::Ended { at, state, attempts } => {
                summary.tried(attempts);
                record.end(at, state);
            }
        }
        true
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines: HashMap<Arc<str>, Line> = HashMap::new();
        for summary in self.summaries().filter(|summary| summary.state == State::Waiting) {
            let recipient = summary.recipient.clone();
            let line =
                lines.entry(recipient.clone()).or_insert(Line { recipient, count: 0, not_before: i64::MAX });
            line.count += 1;
            line.not_before = line.not_before.min(summary.not_before);
        }
        lines.into_values().collect()
    }

    fn expire(&mut self, now: Micros, limit: usize) -> Vec<Record> {
        let over = |row: &&mut Row| !row.record.summary.state.is_final() && row.record.summary.expires <= now;
        let mut expired = Vec::new();
        for row in self.messages.values_mut().filter(over).take(limit) {
            let state = if row.record.summary.is_delivered() { State::Delivered } else { State::Expired };
            let message = row.record.message.clone();
            row.record.end(now, state);
            expired.push(Record { summary: row.record.summary.clone(), message });
        }
        expired
    }

    fn purge(&mut self, before: Micros, limit: usize) -> u64 {
        let old = |(_, row): &(&i64, &Row)| {
            row.record.summary.state.is_final() && row.record.summary.ended < before
        };
        let places: Vec<_> = self.messages.iter().filter(old).map(|(place, _)| *place).take(limit).collect();
        for place in &places {
            let Some(row) = self.messages.remove(place) else { continue };
            self.places.remove(&row.record.summary.id);
            if let Some(origin) = row.origin {
                self.origins.remove(&origin);
            }
        }
        places.len() as u64
    }

    fn summaries(&self) -> impl Iterator<Item = &Summary> {
        self.messages.values().map(|row| &row.record.summary)
    }

    /// Records after a place that `which` picks.
    fn records(&self, after: i64, limit: usize, which: impl Fn(&Summary) -> bool) -> Vec<Record> {
        let later = self.messages.range(after + 1..).map(|(_, row)| &row.record);
        later.filter(|record| which(&record.summary)).take(limit).cloned().collect()
    }
}

impl Summary {
    pub(crate) fn tried(&mut self, attempts: Vec<Attempt>) {
        self.tries = self.tries.saturating_add(u32::try_from(attempts.len()).unwrap_or(u32::MAX));
        self.attempts.extend(attempts);
        let surplus = self.attempts.len().saturating_sub(Record::MAX_ATTEMPTS);
        self.attempts.drain(..surplus);
    }

    /// Whether a device has it.
    pub fn is_delivered(&self) -> bool {
        self.attempts.iter().any(|attempt| (200..300).contains(&attempt.code))
    }
}

impl Record {
    fn end(&mut self, at: Micros, state: State) {
        self.summary.state = state;
        self.summary.ended = at;
        self.message = None;
    }
}

impl Filter {
    fn takes(&self, summary: &Summary) -> bool {
        self.recipient.as_ref().is_none_or(|recipient| **recipient == *summary.recipient)
            && self.sender.as_ref().is_none_or(|sender| *sender == summary.sender)
            && self.state.is_none_or(|state| state == summary.state)
    }
}

impl Store for MemoryStore {
    fn put(&self, kept: Kept) -> Done<Put> {
        self.change(|rows| rows.put(kept))
    }

    fn change(&self, id: &MessageId, change: Change) -> Done<bool> {
        self.change(|rows| rows.change(id, change))
    }

    fn waiting(&self, recipient: &str, now: Micros, after: i64, limit: usize) -> Done<Vec<Record>> {
        self.read(|rows| {
            rows.records(after, limit, |summary| {
                summary.state == State::Waiting
                    && *summary.recipient == *recipient
                    && summary.not_before <= now
            })
        })
    }

    fn accepted(&self, after: i64, limit: usize) -> Done<Vec<Record>> {
        self.read(|rows| rows.records(after, limit, |summary| summary.state == State::Accepted))
    }

    fn lines(&self) -> Done<Vec<Line>> {
        self.read(Rows::lines)
    }

    fn become_due(&self, after: Micros, until: Micros) -> Done<Vec<Arc<str>>> {
        self.read(|rows| {
            let due = |summary: &&Summary| {
                summary.state == State::Waiting && summary.not_before > after && summary.not_before <= until
            };
            let mut due: Vec<_> =
                rows.summaries().filter(due).map(|summary| summary.recipient.clone()).collect();
            due.sort_unstable();
            due.dedup();
            due
        })
    }

    fn expire(&self, now: Micros, limit: usize) -> Done<Vec<Record>> {
        self.change(|rows| rows.expire(now, limit))
    }

    fn get(&self, id: &MessageId) -> Done<Option<Record>> {
        self.read(|rows| {
            let row = rows.places.get(id).and_then(|place| rows.messages.get(place));
            row.map(|row| row.record.clone())
        })
    }

    fn list(&self, filter: Filter, after: i64, limit: usize) -> Done<Vec<Summary>> {
        self.read(|rows| {
            let found = rows.records(after, limit, |summary| filter.takes(summary));
            found.into_iter().map(|record| record.summary).collect()
        })
    }

    fn counts(&self) -> Done<Counts> {
        self.read(|rows| {
            let mut counts = Counts::default();
            rows.summaries().for_each(|summary| counts.set(summary.state, counts.of(summary.state) + 1));
            counts
        })
    }

    fn purge(&self, before: Micros, limit: usize) -> Done<u64> {
        self.change(|rows| rows.purge(before, limit))
    }

    fn bind(&self, binding: KeptBinding) {
        self.rows.lock().bindings.insert(binding.key(), binding);
    }

    fn unbind(&self, profile: &str, aor: &str, contact: &str, flow: &str) {
        let key = (profile.into(), aor.into(), contact.into(), flow.into());
        self.rows.lock().bindings.remove(&key);
    }

    fn each_binding(&self, profile: &str, now: Micros, mut pieces: Pieces) -> Done<()> {
        let mut rows = self.rows.lock();
        rows.bindings.retain(|_, binding| *binding.profile != *profile || binding.expires > now);
        let of_profile = rows.bindings.values().filter(|binding| *binding.profile == *profile);
        let found: Vec<_> = of_profile.cloned().collect();
        drop(rows);
        if !found.is_empty() {
            pieces(found);
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn recent(&self, since: Micros, limit: usize) -> Done<Vec<MessageId>> {
        self.read(|rows| {
            let latest = rows.messages.values().rev().map(|row| &row.record.summary);
            latest.filter(|summary| summary.accepted >= since).take(limit).map(|s| s.id.clone()).collect()
        })
    }

    fn trouble(&self) -> Option<StoreError> {
        self.trouble.lock().clone()
    }

    fn flush(&self) -> Done<()> {
        Box::pin(std::future::ready(self.trouble().map_or(Ok(()), Err)))
    }
}
