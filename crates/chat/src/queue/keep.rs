//! Taking a message over: the promise that a 202 makes.

use std::sync::Arc;

use chappe_event::{Event, header};
use chappe_store::{Attempt, Change, Kept, MessageId, Micros, Put, Record, State, Store, StoreError};

use super::lines::{Full, Room};
use super::{Before, OfflineCopy, Queue, outcome, times};
use crate::{CopyEnd, Delivery, MessageName, Rest, Tried};

/// Seconds after which a sender may try a store again that is in trouble, and one that is only busy.
const TROUBLE_PAUSE: u32 = 60;
const BUSY_PAUSE: u32 = 1;

/// Who and when, as the message says it.
pub(crate) struct Destination {
    /// Whose line it is.
    pub recipient: Arc<str>,
    /// Not to be delivered before; 0: at once.
    pub not_before: Micros,
}

impl Queue {
    /// Where the message would wait. `interface` knows the recipient better than the message does.
    pub(crate) fn destination(&self, message: &Event, known: Option<String>) -> Destination {
        let written = || message.get(header::TO).unwrap_or_default().to_ascii_lowercase();
        let now = self.now();
        Destination {
            recipient: known.unwrap_or_else(written).into(),
            not_before: times::not_before(message, now),
        }
    }

    /// Whether the message has to go to the end of a line: it is for later, or others wait before it.
    pub(crate) fn goes_behind(&self, destination: &Destination) -> bool {
        destination.not_before > 0 || self.has_ready(&destination.recipient)
    }

    /// While the store takes nothing, it is better to be early than to be refused.
    fn has_ready(&self, recipient: &str) -> bool {
        !self.is_empty()
            && self.lines().has_ready(recipient)
            && self.store().is_some_and(|store| store.trouble().is_none())
    }

    /// Whether a message that one device has is kept for the others.
    pub(crate) fn keeps_for_others(&self) -> bool {
        self.settings.load().copies == OfflineCopy::EveryDevice
    }

    /// Whether the message asks to be delivered later.
    pub(crate) fn is_deferred(message: &Event) -> bool {
        message.get(header::DELIVER_AT).is_some() || message.get(header::DEFERRED_DELIVERY).is_some()
    }

    pub(crate) fn has_lines(&self) -> bool {
        !self.is_empty()
    }

    /// Takes the message over. [`Delivery::Stored`] says that it is on the disk; where it can't be kept, what has become of
    /// it, or how long its sender is to wait.
    pub(crate) async fn keep(
        self: &Arc<Self>,
        message: &Event,
        destination: Destination,
        tried: Tried,
    ) -> Delivery {
        let now = self.now();
        let Tried { delivery, copies, rest } = tried;
        let expires = times::expires(message, now, destination.not_before, &self.settings());
        if expires <= now {
            return self.without_store(delivery, rest).await;
        }
        let attempts = outcome::ends(&copies, now);
        let kept = self.kept(message, &destination, expires, attempts);
        match self.put(kept).await {
            Ok(None) => Delivery::Stored,
            Ok(Some(id)) => {
                self.tell_queue("stored", message, &destination.recipient);
                self.go_on(destination, id, rest, delivery == Delivery::NoAnswer);
                Delivery::Stored
            }
            Err(refusal) => match self.without_store(delivery, rest).await {
                // Nobody has it, and it can't wait.
                Delivery::NobodyRegistered | Delivery::NoAnswer | Delivery::Stored => refusal,
                other => other,
            },
        }
    }

    pub(super) fn kept(
        &self,
        message: &Event,
        destination: &Destination,
        expires: Micros,
        attempts: Vec<Attempt>,
    ) -> Kept {
        Kept {
            id: MessageId::from(message.get(header::MESSAGE_ID).unwrap_or_default()),
            origin: None,
            recipient: destination.recipient.clone(),
            sender: message.get(header::FROM).unwrap_or_default().into(),
            state: State::Waiting,
            accepted: self.now(),
            not_before: destination.not_before,
            expires,
            attempts,
            message: message.clone(),
        }
    }

    /// Puts it where there is room; otherwise what its sender is told. The name it is kept under; `None`: it was put
    /// before.
    async fn put(&self, kept: Kept) -> Result<Option<MessageId>, Delivery> {
        let Some(store) = self.opened_store().await else {
            return Err(Delivery::Overloaded { retry_after_secs: BUSY_PAUSE });
        };
        let (recipient, sender) = (kept.recipient.clone(), kept.sender.clone());
        if self.is_taken_over(&kept.id) {
            return self.put_planned(&*store, kept).await;
        }
        let settings = self.settings();
        let room = Room {
            per_user: settings.max_per_user,
            per_sender: settings.max_per_sender,
            in_all: settings.max_in_all,
        };
        self.lines().admit(&recipient, &sender, room).map_err(|full| {
            self.say_full(&kept, &full);
            match full {
                Full::Line | Full::Sender => Delivery::QueueFull,
                Full::All => Delivery::Overloaded { retry_after_secs: TROUBLE_PAUSE },
            }
        })?;
        match put_once(&*store, kept).await {
            Ok(Some(id)) => Ok(Some(id)),
            Ok(None) => {
                self.lines().leave(&recipient, &sender, false, false);
                Ok(None)
            }
            Err(error) => {
                self.lines().leave(&recipient, &sender, false, false);
                tracing::debug!("A message from {sender} to {recipient} is not taken over: {error}");
                let retry_after_secs = if error == StoreError::Busy { BUSY_PAUSE } else { TROUBLE_PAUSE };
                Err(Delivery::Overloaded { retry_after_secs })
            }
        }
    }

    /// A message that was promised already finds a place in any line.
    async fn put_planned(&self, store: &dyn Store, kept: Kept) -> Result<Option<MessageId>, Delivery> {
        let Kept { id, recipient, sender, not_before, message, attempts, .. } = kept;
        self.lines().admit(&recipient, &sender, Room::ANY).unwrap_or_default();
        let change = Change::Planned { recipient: recipient.clone(), not_before, message, attempts };
        match store.change(&id, change).await {
            Ok(true) => Ok(Some(id)),
            // It was taken back, or ran out.
            Ok(false) => {
                self.lines().leave(&recipient, &sender, false, false);
                Ok(None)
            }
            Err(error) => {
                self.lines().leave(&recipient, &sender, false, false);
                tracing::error!("Message {id} goes through the chatplan again after a restart: {error}");
                Err(Delivery::Stored)
            }
        }
    }

    fn say_full(&self, kept: &Kept, full: &Full) {
        let which = match full {
            Full::Line => "for its recipient",
            Full::Sender => "that its sender sent",
            Full::All => "for all recipients together",
        };
        tracing::warn!(
            "A message from {} to {} is refused: too many wait {which}",
            kept.sender,
            kept.recipient
        );
    }

    /// What is to happen next with a message that is kept.
    fn go_on(self: &Arc<Self>, destination: Destination, id: MessageId, rest: Option<Rest>, silent: bool) {
        let Destination { recipient, not_before } = destination;
        if not_before > 0 {
            return;
        }
        let mut lines = self.lines();
        lines.add_ready(&recipient);
        match rest {
            Some(rest) => {
                lines.take_off(&recipient, &id, rest.devices.clone());
                drop(lines);
                self.await_rest(recipient, id, rest);
            }
            None if silent => {
                drop(lines);
                self.try_later(&recipient);
            }
            None => {
                drop(lines);
                // Somebody may have come meanwhile, or waits already.
                if self.may_reach(&recipient) {
                    self.ask(&recipient, false);
                }
            }
        }
    }

    /// The outcome of a message that can't be kept: nothing is promised, so what is under way is waited for.
    async fn without_store(&self, delivery: Delivery, rest: Option<Rest>) -> Delivery {
        match rest {
            Some(rest) => outcome::of_rest(rest.end.await).delivery,
            None => delivery,
        }
    }

    /// One device has the message: it is kept for those that did not answer.
    pub(crate) fn keep_for_others(
        self: &Arc<Self>,
        message: &Event,
        known: Option<String>,
        copies: Vec<CopyEnd>,
        rest: Option<Rest>,
    ) {
        let missing = copies.iter().any(|copy| !outcome::is_settled(copy.code));
        if !missing && rest.is_none() {
            return;
        }
        let Some(router) = self.router.upgrade() else { return };
        let destination = self.destination(message, known);
        let (queue, message) = (self.clone(), message.clone());
        router.spawn(Box::pin(async move {
            let mut copies = copies;
            if let Some(rest) = rest {
                copies.extend(rest.end.await);
            }
            if copies.iter().any(|copy| !outcome::is_settled(copy.code)) {
                queue.put_partly(&message, destination, &copies).await;
            }
        }));
    }

    async fn put_partly(&self, message: &Event, destination: Destination, copies: &[CopyEnd]) {
        let now = self.now();
        let expires = times::expires(message, now, 0, &self.settings());
        let Some(store) = self.store().filter(|_| expires > now) else { return };
        let kept = self.kept(message, &destination, expires, outcome::ends(copies, now));
        match put_once(&*store, kept).await {
            Ok(_) => self.lines().add_partly(&destination.recipient),
            // Nothing was promised: one device has it.
            Err(error) => tracing::warn!("A message is not kept for the other devices: {error}"),
        }
    }

    /// What is known of a message by the name that its sender gave it.
    pub fn look(&self, name: &str) -> Before {
        let window = super::clock::micros(self.settings().window);
        self.seen.lock().look(name, self.now(), window)
    }

    /// The message that its sender gave this name has ended.
    pub fn seen(&self, name: &str, taken: bool) {
        self.seen.lock().end(name, taken);
    }
}

/// The name it is kept under. `None`: the same message is there already, which is as good. Another one of that name, made
/// of the same event for instance, is no repetition of it: it gets a name of its own.
async fn put_once(store: &dyn Store, mut kept: Kept) -> Result<Option<MessageId>, StoreError> {
    loop {
        let Put::Known(known, _) = store.put(kept.clone()).await? else { return Ok(Some(kept.id)) };
        let before = store.get(&known).await?;
        if before.is_some_and(|before| is_repeated(&before, &kept)) {
            return Ok(None);
        }
        kept.id = MessageId::from(&*MessageName::fresh());
        kept.message.add(header::MESSAGE_ID, kept.id.as_str());
    }
}

/// What is final has no text to compare: a request that is made again is known by its name alone.
fn is_repeated(before: &Record, kept: &Kept) -> bool {
    let Record { summary, message } = before;
    let is_same = match message {
        Some(message) => message.body() == kept.message.body(),
        None => kept.message.is_request(),
    };
    is_same && summary.recipient == kept.recipient && summary.sender == kept.sender
}
