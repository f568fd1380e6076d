//! What was sent, what its sender was told, what arrived.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use chappe_interop::Received;

/// Cases shown of what is wrong.
const SOME: usize = 20;

/// Shared by all users. A message's number is its place.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Vec<Entry>>>);

struct Entry {
    recipient: String,
    body: Vec<u8>,
    /// The sender's final answer; 0 when it gave up.
    answer: Option<u16>,
    retransmissions: u64,
    /// Some device has answered it with a 2xx.
    is_taken: bool,
    /// By device.
    copies: HashMap<u16, Copies>,
    wrong: Option<String>,
}

#[derive(Default)]
struct Copies {
    branches: BTreeSet<String>,
    message_ids: BTreeSet<String>,
    call_ids: BTreeSet<String>,
}

/// What came of a storm.
#[derive(Default)]
pub struct Counts {
    pub sent: u64,
    pub retransmissions: u64,
    /// Got a 200.
    pub delivered_at_once: u64,
    /// Got a 202.
    pub taken_over: u64,
    /// Messages that a device has taken.
    pub delivered: u64,
    /// Copies of a message after the first at the same device.
    pub duplicates: u64,
    pub never_answered: u64,
    /// Other final answers, by status.
    pub refused: BTreeMap<u16, u64>,
}

impl Ledger {
    /// A message that is about to be sent; its number.
    pub fn send(&self, recipient: &str, noise: &[u8]) -> (usize, Vec<u8>) {
        let mut entries = self.entries();
        let number = entries.len();
        let body = [format!("{number}\n").as_bytes(), noise].concat();
        entries.push(Entry {
            recipient: recipient.to_owned(),
            body: body.clone(),
            answer: None,
            retransmissions: 0,
            is_taken: false,
            copies: HashMap::new(),
            wrong: None,
        });
        (number, body)
    }

    pub fn sent_again(&self, number: usize) {
        self.entries()[number].retransmissions += 1;
    }

    /// The sender's final answer; 0 when it gives up.
    pub fn answered(&self, number: usize, status: u16) {
        self.entries()[number].answer = Some(status);
    }

    /// A copy came to a device of `user`; the message's number, when it is one of ours.
    pub fn arrived(&self, user: &str, device: u16, message: &Received) -> Option<usize> {
        let mut entries = self.entries();
        let number = message.text().split('\n').next()?.parse().ok()?;
        let entry: &mut Entry = entries.get_mut(number)?;
        if entry.recipient != user || entry.body != message.body {
            let (to, came, sent) = (&entry.recipient, message.body.len(), entry.body.len());
            entry.wrong = Some(format!("{number} for {to} came to {user}, {came} octets instead of {sent}"));
        }
        let copies = entry.copies.entry(device).or_default();
        let header = |name| message.header(name).unwrap_or_default().to_owned();
        copies.branches.insert(message.branch().unwrap_or_default().to_owned());
        copies.message_ids.insert(header("Message-ID"));
        copies.call_ids.insert(header("Call-ID"));
        Some(number)
    }

    /// A device is about to answer it with a 2xx.
    pub fn taken(&self, number: usize) {
        self.entries()[number].is_taken = true;
    }

    /// How many were promised and not taken.
    pub fn lost(&self) -> usize {
        self.entries().iter().filter(|entry| entry.is_lost()).count()
    }

    /// The first of those.
    pub fn examples(&self) -> Vec<String> {
        let entries = self.entries();
        let lost = entries.iter().enumerate().filter(|(_, entry)| entry.is_lost());
        let told = |(number, entry): (usize, &Entry)| {
            format!("{number} to {} ({})", entry.recipient, entry.answer.unwrap_or(0))
        };
        lost.map(told).take(SOME).collect()
    }

    /// What must not happen to any copy; the first cases of it.
    pub fn wrong(&self) -> Vec<String> {
        let entries = self.entries();
        let mut wrong: Vec<String> = entries.iter().filter_map(|entry| entry.wrong.clone()).collect();
        for (number, entry) in entries.iter().enumerate() {
            let unlike = entry.copies.values().filter(|copies| !copies.are_alike());
            wrong.extend(unlike.map(|copies| {
                format!("copies of {number} are called {:?}, {:?}", copies.message_ids, copies.call_ids)
            }));
        }
        wrong.truncate(SOME);
        wrong
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for entry in self.entries().iter() {
            counts.sent += 1;
            counts.retransmissions += entry.retransmissions;
            counts.delivered += u64::from(entry.is_taken);
            let again = |copies: &Copies| copies.branches.len() as u64 - 1;
            counts.duplicates += entry.copies.values().map(again).sum::<u64>();
            match entry.answer {
                Some(200) => counts.delivered_at_once += 1,
                Some(202) => counts.taken_over += 1,
                Some(0) | None => counts.never_answered += 1,
                Some(status) => *counts.refused.entry(status).or_default() += 1,
            }
        }
        counts
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().expect("no user panics")
    }
}

impl Entry {
    fn is_lost(&self) -> bool {
        matches!(self.answer, Some(200..300)) && !self.is_taken
    }
}

impl Copies {
    /// One name each, and a name at all.
    fn are_alike(&self) -> bool {
        [&self.message_ids, &self.call_ids].iter().all(|names| names.len() == 1 && !names.contains(""))
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} sent ({} retransmissions), {} got 200, {} got 202, {} delivered, {} duplicates, {} never answered",
            self.sent,
            self.retransmissions,
            self.delivered_at_once,
            self.taken_over,
            self.delivered,
            self.duplicates,
            self.never_answered
        )?;
        self.refused.iter().try_for_each(|(status, count)| write!(f, ", {count} got {status}"))
    }
}
