//! Serving a line: what waits is sent, in its order, until there is nothing left or nobody takes it.

use std::sync::Arc;
use std::time::Duration;

use chappe_event::{Event, header};
use chappe_store::{Change, MessageId, Record, State, StoreError, Summary};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::lines::Next;
use super::outcome::{self, Outlook};
use super::{MAX_UNWRITTEN, OfflineCopy, Queue, times};
use crate::{Again, Rest, Tried, Verdict};

/// Messages read at a time.
const BATCH: usize = 64;
/// How long a line rests when it is not the recipient's fault that nothing moves.
const BREATH: Duration = Duration::from_secs(2);

/// What comes after one message.
enum Step {
    /// The next one.
    Next,
    /// The next one; this one still waits for its first device.
    Stays,
    /// The line from the start: a device has come.
    Anew,
    /// Nothing more, until a device comes.
    Rest,
    /// Nothing more, until a timer says so: the recipient does not answer.
    Silence,
    /// Nothing more for a moment.
    Breath,
}

/// A recipient that is being served. A shard that ends takes its work with it: who is left unserved so is served later.
pub(super) struct Serving {
    queue: Arc<Queue>,
    recipient: Arc<str>,
    hurry: Arc<Notify>,
    is_over: bool,
}

impl Serving {
    pub fn new(queue: Arc<Queue>, recipient: Arc<str>, hurry: Arc<Notify>) -> Self {
        Self { queue, recipient, hurry, is_over: false }
    }

    /// Serves a recipient until nothing moves, then who is next.
    pub async fn run(mut self) {
        loop {
            self.queue.pass(&self.recipient, &self.hurry).await;
            let next = self.queue.lines().end(&self.recipient);
            match next {
                Next::Again => {}
                Next::Other(recipient, hurry) => {
                    self.is_over = true;
                    return self.queue.begin(recipient, hurry);
                }
                Next::Nobody => {
                    self.is_over = true;
                    return;
                }
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if !self.is_over {
            self.queue.lines().break_off(&self.recipient, Instant::now() + BREATH);
        }
    }
}

/// Copies under way that the line does not wait for. Where they are given up, they are under way no longer.
struct Flight {
    queue: Arc<Queue>,
    recipient: Arc<str>,
    id: MessageId,
    devices: Vec<Box<str>>,
    outlook: Option<Outlook>,
}

impl Flight {
    fn has_ended(mut self, outlook: Outlook) {
        self.outlook = Some(outlook);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.queue.lines().land(&self.recipient, &self.id, &self.devices);
        match &self.outlook {
            Some(Outlook::Delivered | Outlook::Refused { .. }) => self.queue.ask(&self.recipient, false),
            Some(_) => self.queue.try_later(&self.recipient),
            None => self.queue.rest_until(&self.recipient, BREATH),
        }
    }
}

impl Queue {
    async fn pass(self: &Arc<Self>, recipient: &Arc<str>, hurry: &Notify) {
        let Some(store) = self.store() else { return };
        let (mut after, mut ready, mut put_off) = (0, 0, false);
        loop {
            let batch = match store.waiting(recipient, self.now(), after, BATCH).await {
                Ok(batch) => batch,
                Err(error) => {
                    tracing::warn!("The messages for {recipient} can't be read: {error}");
                    return self.rest_until(recipient, BREATH);
                }
            };
            if batch.is_empty() {
                return self.passed(recipient, ready, put_off);
            }
            for record in batch {
                after = record.summary.place;
                match self.serve_one(recipient, record, hurry).await {
                    Step::Next => {}
                    Step::Stays => (ready, put_off) = (ready + 1, true),
                    Step::Anew => (after, ready, put_off) = (0, 0, false),
                    Step::Rest => return,
                    Step::Silence => return self.try_later(recipient),
                    Step::Breath => return self.rest_until(recipient, BREATH),
                }
                if after == 0 {
                    break;
                }
            }
        }
    }

    /// The whole line was gone through.
    fn passed(&self, recipient: &str, ready: u64, put_off: bool) {
        self.lines().set_ready(recipient, ready);
        if put_off { self.try_later(recipient) } else { self.lines().succeed(recipient) }
    }

    /// The next attempt of the growing interval.
    pub(super) fn try_later(&self, recipient: &str) {
        let mut lines = self.lines();
        let failures = lines.fail(recipient);
        let pause = self.settings().pause(failures, dice());
        lines.schedule(recipient, Instant::now() + pause);
    }

    fn rest_until(&self, recipient: &str, pause: Duration) {
        self.lines().schedule(recipient, Instant::now() + pause);
    }

    async fn serve_one(self: &Arc<Self>, recipient: &Arc<str>, record: Record, hurry: &Notify) -> Step {
        let Record { summary, message: Some(message) } = record else { return Step::Next };
        if summary.expires <= self.now() || self.unwritten.lock().contains_key(&summary.id) {
            return Step::Next;
        }
        let flying = self.lines().flying(recipient, &summary.id);
        let is_flying = !flying.is_empty();
        let Some(again) = self.send(&summary, &message, flying) else { return Step::Breath };
        let Again { devices, mut end } = again;
        self.lines().take_off(recipient, &summary.id, devices.clone());
        let tried = tokio::select! {
            tried = &mut end => tried,
            () = hurry.notified() => {
                self.leave_flying(recipient.clone(), summary, message, Again { devices, end });
                return Step::Anew;
            }
        };
        self.lines().land(recipient, &summary.id, &devices);
        let was_partly = summary.is_delivered();
        match self.settle(&summary, &message, tried).await {
            Outlook::Nobody if was_partly => Step::Next,
            // It is under way to all there are: whoever waits for them goes on then.
            Outlook::Nobody => Step::Rest,
            Outlook::Delivered | Outlook::Refused { .. } => Step::Next,
            _ if was_partly => Step::Next,
            _ if is_flying => Step::Rest,
            Outlook::PutOff => Step::Stays,
            Outlook::Silence => Step::Silence,
            Outlook::Overload => Step::Breath,
        }
    }

    /// `None`: its chat interface is gone for now.
    fn send(&self, summary: &Summary, message: &Event, mut without: Vec<Box<str>>) -> Option<Again> {
        let router = self.router.upgrade()?;
        let interface = router.find_interface(message.get(header::DEST_PROTO)?)?;
        let settled = summary.attempts.iter().filter(|attempt| outcome::is_settled(attempt.code));
        without.extend(settled.map(|attempt| attempt.device.clone()));
        let mut message = message.clone();
        let left = times::seconds_left(summary.expires, self.now());
        message.add_display(header::EXPIRES, left);
        if message.get(header::DATE).is_none() {
            message.add(header::DATE, times::written(summary.accepted));
        }
        Some(interface.send_again(message, without))
    }

    /// What is under way stays so, while the line begins anew.
    fn leave_flying(self: &Arc<Self>, recipient: Arc<str>, summary: Summary, message: Event, again: Again) {
        let Some(router) = self.router.upgrade() else { return };
        let Again { devices, end } = again;
        let flight = self.flight(recipient, summary.id.clone(), devices);
        router.spawn(Box::pin(async move {
            let tried = end.await;
            let outlook = flight.queue.settle(&summary, &message, tried).await;
            flight.has_ended(outlook);
        }));
    }

    /// Waits for the copies that were under way when the message was taken over.
    pub(super) fn await_rest(self: &Arc<Self>, recipient: Arc<str>, id: MessageId, rest: Rest) {
        let Some(router) = self.router.upgrade() else { return };
        let Rest { devices, end } = rest;
        let flight = self.flight(recipient, id, devices);
        router.spawn(Box::pin(async move {
            let tried = outcome::of_rest(end.await);
            let Some(store) = flight.queue.store() else { return };
            let Ok(Some(Record { summary, message: Some(message) })) = store.get(&flight.id).await else {
                return;
            };
            let outlook = flight.queue.settle(&summary, &message, tried).await;
            flight.has_ended(outlook);
        }));
    }

    fn flight(self: &Arc<Self>, recipient: Arc<str>, id: MessageId, devices: Vec<Box<str>>) -> Flight {
        Flight { queue: self.clone(), recipient, id, devices, outlook: None }
    }

    /// Writes down what an attempt came to, and tells.
    async fn settle(&self, summary: &Summary, message: &Event, tried: Tried) -> Outlook {
        let outlook = outcome::outlook(&tried);
        let attempts = outcome::attempts(&tried, self.now());
        let device = tried.delivery.device();
        let for_all = self.settings().copies == OfflineCopy::EveryDevice;
        let partly = summary.is_delivered();
        match &outlook {
            Outlook::Delivered if for_all => {
                let written = self.write(&summary.id, Change::Tried(attempts)).await;
                if written && !partly {
                    self.lines().leave(&summary.recipient, &summary.sender, true, true);
                    self.tell_end_of(summary, message, State::Delivered, &Verdict::OK, device);
                }
            }
            Outlook::Delivered => {
                self.end(summary, message, State::Delivered, &Verdict::OK, attempts, device).await;
            }
            Outlook::Refused { code, reason } if !partly => {
                let verdict = Verdict { code: *code, reason: reason.clone().into(), retry_after: None };
                self.end(summary, message, State::Refused, &verdict, attempts, device).await;
            }
            _ if attempts.is_empty() => {}
            _ => {
                self.write(&summary.id, Change::Tried(attempts)).await;
            }
        }
        outlook
    }

    async fn end(
        &self,
        summary: &Summary,
        message: &Event,
        state: State,
        verdict: &Verdict,
        attempts: Vec<chappe_store::Attempt>,
        device: Option<&str>,
    ) {
        let mut ended = summary.clone();
        ended.tries = ended.tries.saturating_add(u32::try_from(attempts.len()).unwrap_or(u32::MAX));
        let change = Change::Ended { at: self.now(), state, attempts };
        if self.write(&summary.id, change).await {
            self.left(summary);
            self.tell_end_of(&ended, message, state, verdict, device);
        }
    }

    /// `false`: it was final already. What the store does not take now is tried again until it does.
    pub(super) async fn write(&self, id: &MessageId, change: Change) -> bool {
        let Some(store) = self.store() else { return false };
        match store.change(id, change.clone()).await {
            Ok(changed) => changed,
            Err(error) => {
                self.write_later(id, change, &error);
                true
            }
        }
    }

    fn write_later(&self, id: &MessageId, change: Change, error: &StoreError) {
        let mut unwritten = self.unwritten.lock();
        if unwritten.len() >= MAX_UNWRITTEN {
            tracing::error!("What became of message {id} is not written down, it may be sent twice: {error}");
            return;
        }
        // An end is the last word.
        let has_end = matches!(unwritten.get(id), Some(Change::Ended { .. }));
        if !has_end && matches!(change, Change::Ended { .. }) {
            unwritten.insert(id.clone(), change);
        }
    }

    /// The message is over, and no longer in its line.
    pub(super) fn left(&self, summary: &Summary) {
        // While the chatplan is at work on it, it is in no line.
        if summary.state == State::Accepted || self.is_taken_over(&summary.id) {
            return;
        }
        let mut lines = self.lines();
        if summary.is_delivered() {
            lines.leave_partly(&summary.recipient);
        } else {
            lines.leave(&summary.recipient, &summary.sender, summary.not_before <= self.now(), false);
        }
    }
}

/// A number from 0 to 1.
fn dice() -> f64 {
    let mut random = [0; 4];
    // Without randomness all pause equally long.
    let _ = getrandom::fill(&mut random);
    f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX)
}
