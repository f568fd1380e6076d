//! Who waits for messages, in memory: enough to know without a look at the disk that nobody does.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use chappe_store::MessageId;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Recipients that are served at a time.
const MAX_SERVED: usize = 2048;
/// Of them those that a timer began: registrations always find a place.
const MAX_TIMED: usize = 1024;

/// The recipients for whom something waits.
#[derive(Default)]
pub(super) struct Lines {
    lines: HashMap<Arc<str>, Line>,
    waiting: u64,
    /// Of them those of each sender that came since the start.
    senders: HashMap<Box<str>, u64>,
    due: BTreeSet<(Instant, Arc<str>)>,
    served: usize,
    /// Who is to be served when there is a place.
    backlog: VecDeque<Arc<str>>,
}

#[derive(Default)]
struct Line {
    /// Messages that no device has.
    waiting: u64,
    /// Of them those whose time has come: what is sent after them has to wait behind them.
    ready: u64,
    /// Messages that some devices have and others may still get.
    partly: u64,
    /// Attempts that failed in a row.
    failures: u32,
    due: Option<Instant>,
    service: Service,
    /// Messages under way to devices, and which.
    flying: Vec<(MessageId, Vec<Box<str>>)>,
}

#[derive(Default)]
enum Service {
    #[default]
    None,
    /// In the backlog.
    Asked,
    /// Somebody is at it, and is to start again at the end when `again`.
    Under { again: bool, hurry: Arc<Notify> },
}

/// What comes after a service.
#[derive(Debug)]
pub(super) enum Next {
    Again,
    Other(Arc<str>, Arc<Notify>),
    Nobody,
}

/// Why a message can't be kept.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Full {
    Line,
    Sender,
    All,
}

/// How many messages may wait.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub per_user: u64,
    pub per_sender: u64,
    pub in_all: u64,
}

impl Room {
    pub const ANY: Self = Self { per_user: u64::MAX, per_sender: u64::MAX, in_all: u64::MAX };
}

impl Lines {
    /// Takes a place for one more message of `sender`.
    pub fn admit(&mut self, recipient: &Arc<str>, sender: &str, room: Room) -> Result<(), Full> {
        if self.waiting >= room.in_all {
            return Err(Full::All);
        }
        let of_sender = self.senders.get(sender).copied().unwrap_or_default();
        if of_sender >= room.per_sender {
            return Err(Full::Sender);
        }
        let line = self.lines.entry(recipient.clone()).or_default();
        if line.waiting >= room.per_user {
            return Err(Full::Line);
        }
        line.waiting += 1;
        self.waiting += 1;
        self.senders.insert(sender.into(), of_sender + 1);
        Ok(())
    }

    /// Adds what was there before the start.
    pub fn load(&mut self, recipient: Arc<str>, count: u64) {
        let line = self.lines.entry(recipient).or_default();
        line.waiting += count;
        line.ready += count;
        self.waiting += count;
    }

    /// Messages that no device has.
    #[cfg(test)]
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Recipients for whom something waits.
    pub fn size(&self) -> u64 {
        self.lines.len() as u64
    }

    pub fn waiting_for(&self, recipient: &str) -> u64 {
        self.lines.get(recipient).map_or(0, |line| line.waiting)
    }

    pub fn recipients(&self) -> Vec<Arc<str>> {
        self.lines.keys().cloned().collect()
    }

    /// Whether somebody waits whose time has come.
    pub fn has_ready(&self, recipient: &str) -> bool {
        self.lines.get(recipient).is_some_and(|line| line.ready > 0)
    }

    /// An admitted message is one to deliver now.
    pub fn add_ready(&mut self, recipient: &str) {
        if let Some(line) = self.lines.get_mut(recipient) {
            line.ready += 1;
        }
    }

    /// A pass over the whole line has found so many.
    pub fn set_ready(&mut self, recipient: &str, ready: u64) {
        if let Some(line) = self.lines.get_mut(recipient) {
            line.ready = ready;
        }
    }

    /// A message that no device had is over, or has got its first device when `partly`.
    pub fn leave(&mut self, recipient: &str, sender: &str, was_ready: bool, partly: bool) {
        let Some(line) = self.lines.get_mut(recipient) else { return };
        if let Some(count) = self.senders.get_mut(sender) {
            *count -= 1;
            if *count == 0 {
                self.senders.remove(sender);
            }
        }
        if line.waiting > 0 {
            line.waiting -= 1;
            self.waiting = self.waiting.saturating_sub(1);
        }
        line.ready = line.ready.saturating_sub(u64::from(was_ready));
        line.partly += u64::from(partly);
        self.forget(recipient);
    }

    /// A message that some devices have is over.
    pub fn leave_partly(&mut self, recipient: &str) {
        if let Some(line) = self.lines.get_mut(recipient) {
            line.partly = line.partly.saturating_sub(1);
        }
        self.forget(recipient);
    }

    /// A message that some devices have is kept for the others.
    pub fn add_partly(&mut self, recipient: &Arc<str>) {
        self.lines.entry(recipient.clone()).or_default().partly += 1;
    }

    fn forget(&mut self, recipient: &str) {
        let Some(line) = self.lines.get(recipient) else { return };
        let idle = matches!(line.service, Service::None);
        if idle && line.waiting == 0 && line.partly == 0 && line.flying.is_empty() {
            if let Some(at) = line.due {
                self.due.remove(&(at, Arc::from(recipient)));
            }
            self.lines.remove(recipient);
        }
    }

    /// Asks for the recipient to be served; `Some` when the caller is to begin at once. `hurry` says that a new device is
    /// there: who is at it stops waiting for the others.
    pub fn ask(&mut self, recipient: &str, hurry: bool) -> Option<(Arc<str>, Arc<Notify>)> {
        let recipient = self.lines.get_key_value(recipient)?.0.clone();
        let line = self.lines.get_mut(&recipient)?;
        if let Some(at) = line.due.take() {
            self.due.remove(&(at, recipient.clone()));
        }
        match &mut line.service {
            Service::Under { again, hurry: notify } => {
                *again = true;
                if hurry {
                    notify.notify_one();
                }
                None
            }
            Service::Asked => None,
            Service::None if self.served < MAX_SERVED => {
                self.served += 1;
                let notify = Arc::new(Notify::new());
                line.service = Service::Under { again: false, hurry: notify.clone() };
                Some((recipient, notify))
            }
            Service::None => {
                line.service = Service::Asked;
                self.backlog.push_back(recipient);
                None
            }
        }
    }

    /// A service is over. It starts again when somebody asked meanwhile, else who is next gets its place.
    pub fn end(&mut self, recipient: &str) -> Next {
        if let Some(line) = self.lines.get_mut(recipient) {
            if let Service::Under { again, .. } = &mut line.service
                && std::mem::take(again)
            {
                return Next::Again;
            }
            line.service = Service::None;
        }
        self.served = self.served.saturating_sub(1);
        self.forget(recipient);
        self.next_in_backlog().map_or(Next::Nobody, |(next, hurry)| Next::Other(next, hurry))
    }

    fn next_in_backlog(&mut self) -> Option<(Arc<str>, Arc<Notify>)> {
        while let Some(next) = self.backlog.pop_front() {
            let Some(line) = self.lines.get_mut(&next) else { continue };
            line.service = Service::None;
            if let Some(begun) = self.ask(&next, false) {
                return Some(begun);
            }
        }
        None
    }

    /// A service was broken off. The recipient is served again at `at`.
    pub fn break_off(&mut self, recipient: &str, at: Instant) {
        self.served = self.served.saturating_sub(1);
        if let Some(line) = self.lines.get_mut(recipient) {
            line.service = Service::None;
        }
        self.schedule(recipient, at);
        self.forget(recipient);
    }

    /// An attempt failed; how many did in a row.
    pub fn fail(&mut self, recipient: &str) -> u32 {
        let Some(line) = self.lines.get_mut(recipient) else { return 1 };
        line.failures = line.failures.saturating_add(1);
        line.failures
    }

    pub fn succeed(&mut self, recipient: &str) {
        if let Some(line) = self.lines.get_mut(recipient) {
            line.failures = 0;
        }
    }

    /// The recipient is to be served at this time, unless it is before.
    pub fn schedule(&mut self, recipient: &str, at: Instant) {
        let Some((key, _)) = self.lines.get_key_value(recipient) else { return };
        let key = key.clone();
        let Some(line) = self.lines.get_mut(&key) else { return };
        if line.due.is_some_and(|due| due <= at) {
            return;
        }
        if let Some(before) = line.due.replace(at) {
            self.due.remove(&(before, key.clone()));
        }
        self.due.insert((at, key));
    }

    /// When the recipient is to be served.
    pub fn due(&self, recipient: &str) -> Option<Instant> {
        self.lines.get(recipient)?.due
    }

    /// Who is due and has a place. Those for whom there is none stay due.
    pub fn pop_due(&mut self, now: Instant) -> Option<(Arc<str>, Arc<Notify>)> {
        while self.served < MAX_TIMED {
            if let Some(next) = self.next_in_backlog() {
                return Some(next);
            }
            let (at, recipient) = self.due.first().filter(|(at, _)| *at <= now).cloned()?;
            self.due.remove(&(at, recipient.clone()));
            if let Some(line) = self.lines.get_mut(&recipient) {
                line.due = None;
            }
            if let Some(begun) = self.ask(&recipient, false) {
                return Some(begun);
            }
        }
        None
    }

    /// The message is under way to these devices.
    pub fn take_off(&mut self, recipient: &str, id: &MessageId, devices: Vec<Box<str>>) {
        if let Some(line) = self.lines.get_mut(recipient).filter(|_| !devices.is_empty()) {
            line.flying.push((id.clone(), devices));
        }
    }

    /// It has ended at these.
    pub fn land(&mut self, recipient: &str, id: &MessageId, devices: &[Box<str>]) {
        if let Some(line) = self.lines.get_mut(recipient) {
            line.flying.retain(|(flying, to)| flying != id || to != devices);
        }
        self.forget(recipient);
    }

    /// The devices a message is under way to.
    pub fn flying(&self, recipient: &str, id: &MessageId) -> Vec<Box<str>> {
        let flights = self.lines.get(recipient).into_iter().flat_map(|line| &line.flying);
        flights.filter(|(flying, _)| flying == id).flat_map(|(_, devices)| devices.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn lines(recipients: &[&str]) -> Lines {
        let mut lines = Lines::default();
        recipients.iter().for_each(|recipient| lines.load(Arc::from(*recipient), 1));
        lines
    }

    fn room(per_user: u64, per_sender: u64, in_all: u64) -> Room {
        Room { per_user, per_sender, in_all }
    }

    #[test]
    fn a_line_and_all_lines_are_bounded() {
        let mut lines = Lines::default();
        let (a, b) = (Arc::from("a"), Arc::from("b"));
        assert_eq!(lines.admit(&a, "s", room(1, 9, 2)), Ok(()));
        assert_eq!(lines.admit(&a, "s", room(1, 9, 2)), Err(Full::Line));
        assert_eq!(lines.admit(&b, "s", room(1, 1, 2)), Err(Full::Sender));
        assert_eq!(lines.admit(&b, "t", room(1, 1, 2)), Ok(()));
        assert_eq!(lines.admit(&b, "s", room(9, 9, 2)), Err(Full::All));
        lines.leave("a", "s", false, false);
        assert!(!lines.senders.contains_key("s"));
        assert_eq!((lines.waiting(), lines.waiting_for("a"), lines.recipients().len()), (1, 0, 1));
    }

    #[test]
    fn a_recipient_is_served_by_one_at_a_time() {
        let mut lines = lines(&["a"]);
        assert!(lines.ask("a", false).is_some());
        assert!(lines.ask("a", true).is_none());
        assert!(matches!(lines.end("a"), Next::Again));
        assert!(matches!(lines.end("a"), Next::Nobody));
        assert!(lines.ask("a", false).is_some());
        assert!(lines.ask("nobody", false).is_none());
    }

    #[test]
    fn a_service_that_is_broken_off_begins_again_later() {
        let mut lines = lines(&["a"]);
        let now = Instant::now();
        assert!(lines.ask("a", false).is_some());
        lines.break_off("a", now);
        assert_eq!(&*lines.pop_due(now).expect("a is due").0, "a");
    }

    #[test]
    fn more_than_can_be_served_take_turns() {
        let names: Vec<String> = (0..=MAX_SERVED).map(|number| number.to_string()).collect();
        let mut lines = lines(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let begun = names.iter().filter(|name| lines.ask(name, false).is_some()).count();
        assert_eq!(begun, MAX_SERVED);
        let Next::Other(next, _) = lines.end("0") else { panic!("one is left") };
        assert_eq!(*next, *names[MAX_SERVED]);
    }

    #[test]
    fn the_earliest_time_counts() {
        let mut lines = lines(&["a", "b"]);
        let now = Instant::now();
        let second = Duration::from_secs(1);
        lines.schedule("a", now + 2 * second);
        lines.schedule("a", now + second);
        lines.schedule("a", now + 3 * second);
        lines.schedule("b", now + 2 * second);
        assert_eq!((lines.due("a"), lines.due("nobody")), (Some(now + second), None));
        assert!(lines.pop_due(now).is_none());
        assert_eq!(&*lines.pop_due(now + second).expect("a is due").0, "a");
        assert!(lines.pop_due(now + second).is_none());
        assert_eq!(&*lines.pop_due(now + 2 * second).expect("b is due").0, "b");
    }

    #[test]
    fn what_is_under_way_is_known_until_it_ends() {
        let mut lines = lines(&["a"]);
        let id = MessageId::from("m");
        let devices: Vec<Box<str>> = vec!["sip:a@h".into()];
        lines.take_off("a", &id, devices.clone());
        assert_eq!(lines.flying("a", &id), devices);
        lines.leave("a", "s", true, false);
        assert_eq!(lines.recipients().len(), 1);
        lines.land("a", &id, &devices);
        assert!(lines.recipients().is_empty());
    }
}
