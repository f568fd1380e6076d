//! How soon a server is itself again once the load has fallen.

use std::time::Duration;

use super::book::{Book, Stretch};

/// How long there is too much, and how long it is watched afterwards.
pub const BEFORE: Duration = Duration::from_secs(3);
pub const AFTER: Duration = Duration::from_secs(6);
const SLOT: Duration = Duration::from_millis(100);
/// A slot is as it should be when so much of what was due in it is accepted, the slowest hundredth of it in this time.
const ACCEPTED: f64 = 0.999;
const MILLIS: f64 = 100.0;

/// What followed.
pub struct Recovery {
    /// From the fall until every slot is as it should be; `None`: it was not within [`AFTER`].
    pub after: Option<Duration>,
    /// The part of the messages that were due in the first second and are accepted, and their p99 in milliseconds.
    pub first_second: (f64, f64),
}

impl Recovery {
    /// Of a run in which the load fell at `fall`.
    pub fn of(book: &Book, fall: Duration, end: Duration) -> Self {
        let count = u32::try_from((end - fall).as_millis() / SLOT.as_millis()).unwrap_or(u32::MAX);
        let slots = (0..count).map(|slot| book.stretch(fall + SLOT * slot, fall + SLOT * (slot + 1)));
        let slots: Vec<_> = slots.collect();
        let bad = slots.iter().rposition(|slot| !is_well(slot)).map_or(0, |last| last + 1);
        let first = book.stretch(fall, fall + Duration::from_secs(1));
        Self {
            after: (bad < slots.len()).then(|| SLOT * bad as u32),
            first_second: (part(&first), first.p99),
        }
    }

    /// For whoever watches.
    pub fn line(&self) -> String {
        let (accepted, p99) = self.first_second;
        format!(
            "as it should be {}; in the first second {:.1} % accepted, p99 {p99:.1} ms",
            self.words(),
            accepted * 100.0
        )
    }

    pub fn words(&self) -> String {
        match self.after {
            Some(after) if after.is_zero() => "at once".to_owned(),
            Some(after) => format!("after {} ms", after.as_millis()),
            None => format!("not within {} s", AFTER.as_secs()),
        }
    }
}

fn is_well(slot: &Stretch) -> bool {
    slot.due == 0 || part(slot) >= ACCEPTED && slot.p99 < MILLIS
}

fn part(slot: &Stretch) -> f64 {
    slot.accepted as f64 / slot.due.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_when_every_slot_is_well() {
        let at = Duration::from_millis;
        let mut book = Book::default();
        for slot in 0..20u64 {
            let due = at(1000 + slot * 100 + 5);
            let number = book.send(due, due);
            match slot {
                0..3 => book.answer(number, 503, due + at(1)),
                5 => book.answer(number, 200, due + at(150)),
                _ => book.answer(number, 200, due + at(2)),
            }
        }
        let recovery = Recovery::of(&book, at(1000), at(3000));
        assert_eq!(recovery.after, Some(at(600)));
        assert_eq!(recovery.first_second.0, 0.7);
        assert_eq!(Recovery::of(&book, at(1600), at(3000)).words(), "at once");
        assert_eq!(Recovery::of(&book, at(1000), at(1300)).after, None);
    }
}
