//! The promise: what a future said `Ok` to is there after a power cut at any moment.
//!
//! Each seed is a life of a store on a simulated disk: messages are put and changed, several at once, until the power is
//! cut at some operation of the disk; then it is back, and the next life begins with what the disk kept. In the last the
//! power stays on.

mod chance;
mod disk;
mod vfs;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chappe_event::{Event, EventName};
use chappe_store::{
    Attempt, Change, Filter, Kept, MessageId, Put, Record, SqliteOptions, SqliteStore, State, Store,
};
use rusqlite::{Connection, OpenFlags};

use crate::chance::Chance;

const SEEDS: u64 = 1000;
const THREADS: u64 = 4;
const CUTS: usize = 2;
/// Rounds of a life whose power is not cut before.
const ROUNDS: usize = 12;

/// How a message may be found: which of the states it was ever asked to have, how many tries, which text.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Stand {
    state: State,
    tries: u32,
    /// `None` once it is final.
    text: Option<Vec<u8>>,
    recipient: Arc<str>,
}

/// What is known of a message.
#[derive(Default)]
struct Known {
    /// What the last future that said `Ok` promised; `None`: nothing yet, it may not even be there.
    promised: Option<Stand>,
    /// What was asked for and not answered: each may have happened.
    asked: Vec<Stand>,
}

#[derive(Default)]
struct Totals {
    cuts: AtomicU64,
    promised: AtomicU64,
    unanswered: AtomicU64,
    unanswered_there: AtomicU64,
}

struct Life {
    disk: u64,
    chance: Chance,
    messages: BTreeMap<MessageId, Known>,
}

impl Life {
    fn path(&self) -> PathBuf {
        format!("/{}/messages.db", self.disk).into()
    }

    fn open(&self) -> Arc<SqliteStore> {
        let options = SqliteOptions {
            vfs: Some(vfs::NAME.into()),
            log_pages: 12,
            look_again: Duration::from_secs(3600),
            ..SqliteOptions::default()
        };
        SqliteStore::open_with(&self.path(), options)
    }

    /// Puts and changes messages until the power is cut.
    async fn work(&mut self, store: &SqliteStore) {
        for _ in 0..ROUNDS {
            let mut asked = Vec::new();
            for _ in 0..=self.chance.below(4) {
                let busy: Vec<MessageId> = asked.iter().map(|(id, _)| MessageId::clone(id)).collect();
                let stands = self.messages.iter().filter(|(id, _)| !busy.contains(id));
                let open: Vec<_> = stands
                    .filter_map(|(id, known)| Some((id.clone(), known.promised.clone()?)))
                    .filter(|(_, stand)| !stand.state.is_final())
                    .collect();
                let change = !open.is_empty() && self.chance.below(2) == 0;
                let (id, done) = if change {
                    let (id, stand) = open[self.chance.below(open.len() as u64) as usize].clone();
                    (id.clone(), self.change(store, &id, stand))
                } else {
                    self.put(store)
                };
                asked.push((id, done));
            }
            for (id, done) in asked {
                let Ok(()) = done.await else { continue };
                let known = self.messages.get_mut(&id).unwrap();
                known.promised = known.asked.pop();
                known.asked.clear();
            }
            if vfs::with(self.disk, |disk| disk.is_off()) {
                return;
            }
        }
    }

    fn put(&mut self, store: &SqliteStore) -> (MessageId, Answer) {
        let id = MessageId::from(format!("{:016x}{:016x}", self.chance.next(), self.chance.next()).as_str());
        let (message, text) = self.message(&id);
        let state = if self.chance.below(3) == 0 { State::Accepted } else { State::Waiting };
        let recipient: Arc<str> = format!("{}@example.org", self.chance.below(3)).into();
        let kept = Kept {
            id: id.clone(),
            origin: Some(self.chance.next().into()),
            recipient: recipient.clone(),
            sender: "1000@example.org".into(),
            state,
            accepted: 1,
            not_before: self.chance.below(2) as i64,
            expires: 1000,
            attempts: Vec::new(),
            message,
        };
        let stand = Stand { state, tries: 0, text: Some(text), recipient };
        self.messages.entry(id.clone()).or_default().asked.push(stand);
        let put = store.put(kept);
        (id, Box::pin(async { put.await.map(|put| assert_eq!(put, Put::Stored)).map_err(drop) }))
    }

    fn change(&mut self, store: &SqliteStore, id: &MessageId, mut stand: Stand) -> Answer {
        let attempt =
            Attempt { at: 5, device: "sip:bob@192.0.2.1".into(), code: 408, reason: "timeout".into() };
        let attempts = vec![attempt; self.chance.below(3) as usize];
        stand.tries += attempts.len() as u32;
        let change = match self.chance.below(3) {
            0 => Change::Tried(attempts),
            1 => {
                let (message, text) = self.message(id);
                let recipient: Arc<str> = "planned@example.org".into();
                (stand.state, stand.text, stand.recipient) = (State::Waiting, Some(text), recipient.clone());
                Change::Planned { recipient, not_before: 0, message, attempts }
            }
            _ => {
                (stand.state, stand.text) = (State::Delivered, None);
                Change::Ended { at: 9, state: State::Delivered, attempts }
            }
        };
        self.messages.get_mut(id).unwrap().asked.push(stand);
        let change = store.change(id, change);
        Box::pin(async { change.await.map(|changed| assert!(changed)).map_err(drop) })
    }

    /// A message that carries its name, and its text.
    fn message(&mut self, id: &MessageId) -> (Event, Vec<u8>) {
        let length = self.chance.below(3000);
        let text: Vec<u8> = (0..length).map(|_| self.chance.next() as u8).collect();
        let mut message = Event::new(EventName::Message);
        message.add("Message-ID", id.as_str());
        message.set_body(Some(text.clone().into()));
        (message, text)
    }

    /// What the disk kept is what was promised, or what was asked for after that.
    async fn check(&mut self, store: &SqliteStore, totals: &Totals) {
        assert_eq!(store.trouble(), None);
        let mut there = 0;
        for (id, known) in &mut self.messages {
            let record = store.get(id).await.unwrap();
            there += u64::from(record.is_some());
            let found = record.map(|record| stand(id, record));
            let allowed =
                found == known.promised || known.asked.iter().any(|asked| found.as_ref() == Some(asked));
            assert!(allowed, "{id}: {found:?} is neither {:?} nor {:?}", known.promised, known.asked);
            if known.promised.is_some() {
                totals.promised.fetch_add(1, Ordering::Relaxed);
            }
            if !known.asked.is_empty() {
                totals.unanswered.fetch_add(1, Ordering::Relaxed);
                let happened = u64::from(found != known.promised);
                totals.unanswered_there.fetch_add(happened, Ordering::Relaxed);
            }
            (known.promised, known.asked) = (found, Vec::new());
        }
        let list = store.list(Filter::default(), 0, usize::MAX).await.unwrap();
        assert_eq!(list.len() as u64, there, "nothing is there that nobody put");
        let counts = store.counts().await.unwrap();
        for state in State::ALL {
            let number = list.iter().filter(|summary| summary.state == state).count();
            assert_eq!(counts.of(state), number as u64, "{state:?}");
        }
        let waiting: u64 = store.lines().await.unwrap().iter().map(|line| line.count).sum();
        assert_eq!(waiting, counts.of(State::Waiting));
    }

    fn check_file(&self) {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = Connection::open_with_flags_and_vfs(self.path(), flags, vfs::NAME).unwrap();
        file.pragma_update(None, "locking_mode", "EXCLUSIVE").unwrap();
        let told: String = file.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
        assert_eq!(told, "ok");
    }
}

type Answer = std::pin::Pin<Box<dyn Future<Output = Result<(), ()>>>>;

fn stand(id: &MessageId, Record { summary, message }: Record) -> Stand {
    if let Some(message) = &message {
        assert_eq!(message.get("Message-ID"), Some(id.as_str()));
    }
    assert_eq!(summary.attempts.len(), summary.tries as usize);
    let text = message.map(|message| message.body().unwrap().to_vec());
    Stand { state: summary.state, tries: summary.tries, text, recipient: summary.recipient }
}

async fn live(seed: u64, totals: &Totals) {
    let mut life = Life { disk: seed, chance: Chance(seed), messages: BTreeMap::new() };
    for _ in 0..CUTS {
        let most = if life.chance.below(4) == 0 { 20 } else { 250 };
        let operations = 1 + life.chance.below(most);
        vfs::with(seed, |disk| disk.cut_after(operations));
        let store = life.open();
        life.work(&store).await;
        drop(store);
        totals.cuts.fetch_add(vfs::with(seed, |disk| disk.is_off()).into(), Ordering::Relaxed);
        vfs::with(seed, |disk| disk.restart(&mut life.chance));
        let store = life.open();
        life.check(&store, totals).await;
        drop(store);
        life.check_file();
    }
    vfs::remove(seed);
}

#[test]
fn nothing_promised_is_lost() {
    vfs::register();
    let totals = Totals::default();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let totals = &totals;
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                for seed in (thread..SEEDS).step_by(THREADS as usize) {
                    let lived = std::panic::catch_unwind(|| runtime.block_on(live(seed, totals)));
                    assert!(lived.is_ok(), "seed {seed}");
                }
            });
        }
    });
    let [cuts, promised, unanswered, there] =
        [&totals.cuts, &totals.promised, &totals.unanswered, &totals.unanswered_there]
            .map(|total| total.load(Ordering::Relaxed));
    println!(
        "{SEEDS} seeds, {cuts} power cuts: {promised} promised messages were there; of {unanswered} changes that \
         nobody had an answer to, {there} had happened"
    );
    assert!(cuts > SEEDS && promised > SEEDS && unanswered > SEEDS / 2, "the seeds say nothing");
}
