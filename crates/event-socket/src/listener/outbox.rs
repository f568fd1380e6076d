//! What waits to be written to one client.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::shared::{SharedEvent, SharedLine};
use crate::subscription::Format;

/// Octets of events and log lines that may wait for one client, roughly, whatever their number.
const MAX_WAITING_OCTETS: usize = 64 * 1024 * 1024;

/// Octets of replies after which no further command is read until the client has taken some.
const MAX_REPLY_OCTETS: usize = 1024 * 1024;

/// An event or a log line that waits.
pub(super) enum Item {
    Event(Arc<SharedEvent>, Format),
    Line(Arc<SharedLine>),
}

impl Item {
    fn is_event(&self) -> bool {
        matches!(self, Self::Event(..))
    }

    fn size(&self) -> usize {
        match self {
            Self::Event(event, _) => event.size,
            Self::Line(line) => line.size,
        }
    }

    pub(super) fn frame(&self) -> Bytes {
        match self {
            Self::Event(event, format) => event.frame(*format),
            Self::Line(line) => line.frame(),
        }
    }
}

/// What the writer is to do next.
pub(super) enum Next {
    Reply(Bytes),
    Item(Item),
    /// So much was left out, since the client took what it was sent too slowly.
    Missed {
        events: u64,
        lines: u64,
    },
    /// Nothing more will come.
    Closed,
}

/// Replies, which are never dropped, and events and log lines, which are when the client is too slow: the newest is left
/// out and counted, so that what is sent has no holes but the one it is told of.
pub struct Outbox {
    state: Mutex<State>,
    max_items: usize,
    filled: Notify,
    emptied: Notify,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Bytes>,
    reply_octets: usize,
    items: VecDeque<Item>,
    item_octets: usize,
    missed_events: u64,
    missed_lines: u64,
    closed: bool,
}

impl Outbox {
    pub(super) fn new(max_items: usize) -> Self {
        Self { state: Mutex::default(), max_items, filled: Notify::new(), emptied: Notify::new() }
    }

    /// Adds a reply; waits while too many are not taken.
    pub async fn reply(&self, frame: Bytes) {
        loop {
            let emptied = self.emptied.notified();
            {
                let mut state = self.state.lock();
                if state.closed {
                    return;
                }
                if state.reply_octets < MAX_REPLY_OCTETS {
                    state.reply_octets += frame.len();
                    state.replies.push_back(frame);
                    break;
                }
            }
            emptied.await;
        }
        self.filled.notify_one();
    }

    /// Adds an event or a log line, or counts it as missed. Never waits.
    pub(super) fn offer(&self, item: Item) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        let size = item.size();
        // Once something is missed, nothing is taken until the client was told: that tells where the hole is.
        let full = state.items.len() >= self.max_items || state.item_octets + size > MAX_WAITING_OCTETS;
        if full || state.missed_events + state.missed_lines > 0 {
            let missed = if item.is_event() { &mut state.missed_events } else { &mut state.missed_lines };
            *missed += 1;
            return;
        }
        let was_empty = state.items.is_empty();
        state.item_octets += size;
        state.items.push_back(item);
        drop(state);
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// Forgets the events, or the log lines, that wait.
    pub fn flush(&self, events: bool) {
        let mut state = self.state.lock();
        state.items.retain(|item| item.is_event() != events);
        state.item_octets = state.items.iter().map(Item::size).sum();
        *(if events { &mut state.missed_events } else { &mut state.missed_lines }) = 0;
    }

    /// From here on nothing is added. The replies that wait, and `last` after them, are still written.
    pub fn close(&self, last: Option<Bytes>) {
        let mut state = self.state.lock();
        if !state.closed {
            state.replies.extend(last);
        }
        state.closed = true;
        state.items.clear();
        drop(state);
        self.filled.notify_one();
        self.emptied.notify_one();
    }

    /// Waits for the next thing to write; replies go first.
    pub(super) async fn next(&self) -> Next {
        loop {
            let filled = self.filled.notified();
            if let Some(next) = self.take() {
                return next;
            }
            filled.await;
        }
    }

    /// The next thing to write, if there is one.
    pub(super) fn take(&self) -> Option<Next> {
        let mut state = self.state.lock();
        if let Some(reply) = state.replies.pop_front() {
            state.reply_octets = state.reply_octets.saturating_sub(reply.len());
            self.emptied.notify_one();
            return Some(Next::Reply(reply));
        }
        if let Some(item) = state.items.pop_front() {
            state.item_octets = state.item_octets.saturating_sub(item.size());
            return Some(Next::Item(item));
        }
        if state.missed_events + state.missed_lines > 0 {
            let (events, lines) = (state.missed_events, state.missed_lines);
            (state.missed_events, state.missed_lines) = (0, 0);
            return Some(Next::Missed { events, lines });
        }
        state.closed.then_some(Next::Closed)
    }
}

#[cfg(test)]
mod tests {
    use chappe_event::{Event, EventName, LogLine};

    use super::*;

    fn event(body: usize) -> Item {
        let mut event = Event::new(EventName::Message);
        event.set_body(Some(vec![b'x'; body].into()));
        let shared = SharedEvent::new(Arc::new(event));
        shared.want(Format::Plain);
        Item::Event(Arc::new(shared), Format::Plain)
    }

    fn line() -> Item {
        Item::Line(Arc::new(SharedLine::new(Arc::new(LogLine::default()))))
    }

    /// What waits, in a letter each: reply, event, line, missed, closed.
    fn drain(outbox: &Outbox) -> String {
        let mut seen = String::new();
        loop {
            match outbox.take() {
                Some(Next::Reply(_)) => seen.push('r'),
                Some(Next::Item(item)) => seen.push(if item.is_event() { 'e' } else { 'l' }),
                Some(Next::Missed { events, lines }) => seen += &format!("({events},{lines})"),
                Some(Next::Closed) => return seen + ".",
                None => return seen,
            }
        }
    }

    #[tokio::test]
    async fn replies_overtake_events() {
        let outbox = Outbox::new(10);
        outbox.offer(event(0));
        outbox.offer(line());
        outbox.reply(Bytes::new()).await;
        assert_eq!(drain(&outbox), "rel");
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let outbox = Outbox::new(2);
        for item in [event(0), line(), event(0), line(), line()] {
            outbox.offer(item);
        }
        assert!(matches!(outbox.take(), Some(Next::Item(_))));
        // There is room, but the hole comes first.
        outbox.offer(event(0));
        assert_eq!(drain(&outbox), "l(2,2)");
        outbox.offer(event(0));
        assert_eq!(drain(&outbox), "e");
    }

    #[test]
    fn octets_are_bounded_whatever_the_number() {
        let outbox = Outbox::new(usize::MAX);
        for _ in 0..70 {
            outbox.offer(event(1024 * 1024));
        }
        assert!(outbox.state.lock().item_octets <= MAX_WAITING_OCTETS);
        assert_eq!(drain(&outbox), format!("{}(7,0)", "e".repeat(63)));
        assert_eq!(outbox.state.lock().item_octets, 0);
    }

    #[test]
    fn flushing_takes_one_kind() {
        let outbox = Outbox::new(3);
        for item in [event(0), line(), event(0), line(), event(0)] {
            outbox.offer(item);
        }
        outbox.flush(true);
        assert_eq!(drain(&outbox), "l(0,1)");
    }

    #[tokio::test]
    async fn closing_keeps_the_replies() {
        for (last, expected) in [(Some(Bytes::new()), "rr."), (None, "r.")] {
            let outbox = Outbox::new(10);
            outbox.offer(event(0));
            outbox.reply(Bytes::new()).await;
            outbox.close(last);
            outbox.offer(event(0));
            outbox.reply(Bytes::new()).await;
            assert_eq!(drain(&outbox), expected);
        }
    }
}
