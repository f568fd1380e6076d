//! What is done once a second: what is due is served, what ran out is ended, what is old is forgotten.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chappe_event::header;
use chappe_store::{Change, MessageId, Micros, Record, State, Store, StoreError};
use tokio::time::{Instant, MissedTickBehavior};

use super::Queue;
use super::clock::micros;
use super::take_over::route_again;
use crate::Verdict;

const ROUND: Duration = Duration::from_secs(1);
/// RFC 3261 §17.1.2.2, Timer F, with some room: so long a request is sent again.
const REPEATED: Micros = 40_000_000;
/// Messages of that time that are remembered; of more, the latest.
const REMEMBERED: usize = 50_000;
/// Rounds between looks for what can be forgotten.
const PURGE_EVERY: u64 = 60;
/// Messages ended or forgotten in one transaction.
const SOME: usize = 1000;
/// Recipients asked at a time when the server starts, so that messages of the moment find the shards free.
const START: usize = 200;
const START_PAUSE: Duration = Duration::from_millis(50);

impl Queue {
    /// Takes up what a store holds, and keeps messages there from here on. Until it has been read, messages that need the
    /// store wait.
    pub async fn open(self: &Arc<Self>, store: Arc<dyn Store>) -> Result<(), StoreError> {
        self.set_opening(true);
        let lines = store.lines().await;
        let accepted = store.accepted(0, SOME).await;
        let now = self.now();
        self.remember(&store.recent(now - REPEATED, REMEMBERED).await.unwrap_or_default(), now);
        if let Ok(lines) = &lines {
            let mut loaded = self.lines();
            lines.iter().for_each(|line| loaded.load(line.recipient.clone(), line.count));
        }
        // What can't be read is in trouble, which the store itself says to whoever wants to keep something.
        self.store.store(Arc::new(Some(store)));
        self.set_opening(false);
        self.route_accepted(accepted?);
        lines.map(drop)
    }

    /// Messages that were taken over just before the start: whoever has not heard of it sends them again.
    fn remember(&self, recent: &[MessageId], now: Micros) {
        let mut seen = self.seen.lock();
        recent.iter().for_each(|id| seen.remember(id.as_str(), now));
        self.remembers.store(!recent.is_empty(), Ordering::Release);
    }

    /// Nothing is kept from here on. What waits stays in the store.
    pub fn close(&self) {
        self.store.store(Arc::new(None));
    }

    /// Goes its rounds until the router is gone. Begins with those who can be reached already.
    pub async fn keep_house(self: Arc<Self>) {
        self.serve_those_who_are_there().await;
        let mut ticks = tokio::time::interval(ROUND);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let start = self.now();
        let (mut last, mut rounds, mut trouble) = (start, 0_u64, None);
        while self.router.strong_count() > 0 {
            ticks.tick().await;
            let Some(store) = self.store() else { continue };
            let now = self.now();
            self.round(&store, last, now).await;
            if rounds.is_multiple_of(PURGE_EVERY) {
                self.purge(&*store, now).await;
            }
            if now > start + REPEATED {
                self.remembers.store(false, Ordering::Release);
            }
            self.tell_trouble(&mut trouble, store.trouble());
            (last, rounds) = (now, rounds + 1);
        }
    }

    async fn serve_those_who_are_there(self: &Arc<Self>) {
        let recipients = self.lines().recipients();
        let there = recipients.iter().filter(|recipient| self.may_reach(recipient));
        for (number, recipient) in there.enumerate() {
            self.ask(recipient, false);
            if number % START == START - 1 {
                tokio::time::sleep(START_PAUSE).await;
            }
        }
    }

    async fn round(self: &Arc<Self>, store: &Arc<dyn Store>, last: Micros, now: Micros) {
        self.write_again(&**store).await;
        for recipient in store.become_due(last, now).await.unwrap_or_default() {
            self.ask(&recipient, false);
        }
        self.expire(&**store, now).await;
        loop {
            let due = self.lines().pop_due(Instant::now());
            let Some((recipient, hurry)) = due else { return };
            self.begin(recipient, hurry);
        }
    }

    async fn write_again(&self, store: &dyn Store) {
        let unwritten: Vec<(MessageId, Change)> =
            self.unwritten.lock().iter().map(|(id, change)| (id.clone(), change.clone())).collect();
        for (id, change) in unwritten {
            if store.change(&id, change).await.is_err() {
                return;
            }
            self.unwritten.lock().remove(&id);
        }
    }

    async fn expire(&self, store: &dyn Store, now: Micros) {
        while let Ok(expired) = store.expire(now, SOME).await {
            let is_all = expired.len() < SOME;
            for record in expired {
                self.left(&record.summary);
                if record.summary.state == State::Expired {
                    // RFC 3261 §21.4.7 is about this request, not about its device.
                    let verdict = Verdict { code: 408, reason: "Expired".into(), retry_after: None };
                    self.tell_end(&record, State::Expired, &verdict, None);
                }
            }
            if is_all {
                return;
            }
        }
    }

    async fn purge(&self, store: &dyn Store, now: Micros) {
        let before = now.saturating_sub(micros(self.settings().history));
        while store.purge(before, SOME).await.is_ok_and(|gone| gone >= SOME as u64) {}
    }

    /// Messages that were taken over while the chatplan was at work on them go through it from the start.
    fn route_accepted(self: &Arc<Self>, accepted: Vec<Record>) {
        let Some(router) = self.router.upgrade() else { return };
        for Record { summary, message } in accepted {
            let Some(mut message) = message else { continue };
            message.add(header::MESSAGE_ID, summary.id.as_str());
            router.spawn(Box::pin(route_again(router.clone(), message, summary.id)));
        }
    }
}
