//! What waits to be written to one node.

use std::collections::VecDeque;
use std::sync::Arc;

use chappe_event::{Event, LogLine};
use eetf::{Pid, Term};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{Encoding, term};

/// Octets of events and log lines that may wait for one node, roughly, whatever their number.
const MAX_WAITING_OCTETS: usize = 64 * 1024 * 1024;

/// Octets of answers after which no further message is read until the node has taken some.
const MAX_REPLY_OCTETS: usize = 1024 * 1024;

/// An event or a log line that waits, and the process it is for.
pub(crate) enum Item {
    Event(Arc<Event>, Pid),
    Line(Arc<LogLine>, Pid),
}

impl Item {
    pub(crate) fn is_event(&self) -> bool {
        matches!(self, Self::Event(..))
    }

    fn size(&self) -> usize {
        match self {
            Self::Event(event, _) => {
                let headers = event.headers().map(|(name, value)| name.len() + value.as_str().len());
                headers.sum::<usize>() + event.body().map_or(0, |body| body.len())
            }
            Self::Line(line, _) => line.text.len() + 100,
        }
    }

    /// Made when it is written, so that what is left out costs nothing.
    pub(crate) fn message(self, encoding: Encoding) -> (Pid, Term) {
        match self {
            Self::Event(event, pid) => (pid, term::event(encoding, &event)),
            Self::Line(line, pid) => (pid, term::log(&line)),
        }
    }
}

/// What the writer is to do next.
pub(crate) enum Next {
    Reply(Vec<u8>),
    Item(Item),
    /// So much was left out, since the node took what it was sent too slowly.
    Missed {
        events: u64,
        lines: u64,
    },
    /// Nothing more will come.
    Closed,
}

/// Answers, which are never dropped, and events and log lines, which are when the node is too slow: the newest is left
/// out and counted.
pub(crate) struct Outbox {
    state: Mutex<State>,
    max_items: usize,
    filled: Notify,
    emptied: Notify,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Vec<u8>>,
    reply_octets: usize,
    items: VecDeque<(usize, Item)>,
    item_octets: usize,
    missed_events: u64,
    missed_lines: u64,
    closed: bool,
}

impl Outbox {
    pub(crate) fn new(max_items: usize) -> Self {
        Self { state: Mutex::default(), max_items, filled: Notify::new(), emptied: Notify::new() }
    }

    /// Adds an answer; waits while too many are not taken.
    pub(crate) async fn reply(&self, frame: Vec<u8>) {
        let mut frame = frame;
        loop {
            let emptied = self.emptied.notified();
            match self.try_reply(frame) {
                Ok(()) => return,
                Err(back) => frame = back,
            }
            emptied.await;
        }
    }

    /// Adds an answer, or gives it back when too many are not taken. After the end nothing is added.
    pub(crate) fn try_reply(&self, frame: Vec<u8>) -> Result<(), Vec<u8>> {
        let mut state = self.state.lock();
        if state.closed {
            return Ok(());
        }
        if state.reply_octets >= MAX_REPLY_OCTETS {
            return Err(frame);
        }
        state.reply_octets += frame.len();
        state.replies.push_back(frame);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Adds an event or a log line, or counts it as missed. Never waits.
    pub(crate) fn offer(&self, item: Item) {
        let size = item.size();
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        let full = state.items.len() >= self.max_items || state.item_octets + size > MAX_WAITING_OCTETS;
        if full || state.missed_events + state.missed_lines > 0 {
            let missed = if item.is_event() { &mut state.missed_events } else { &mut state.missed_lines };
            *missed += 1;
            return;
        }
        state.item_octets += size;
        state.items.push_back((size, item));
        drop(state);
        self.filled.notify_one();
    }

    /// Forgets the events, or the log lines, that wait.
    pub(crate) fn flush(&self, events: bool) {
        let mut state = self.state.lock();
        state.items.retain(|(_, item)| item.is_event() != events);
        state.item_octets = state.items.iter().map(|(size, _)| size).sum();
        *(if events { &mut state.missed_events } else { &mut state.missed_lines }) = 0;
    }

    /// From here on nothing is added. The answers that wait are still written.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.items.clear();
        (state.missed_events, state.missed_lines) = (0, 0);
        drop(state);
        self.filled.notify_one();
        self.emptied.notify_waiters();
    }

    /// Waits for the next thing to write; answers go first.
    pub(crate) async fn next(&self) -> Next {
        loop {
            let filled = self.filled.notified();
            if let Some(next) = self.take() {
                return next;
            }
            filled.await;
        }
    }

    fn take(&self) -> Option<Next> {
        let mut state = self.state.lock();
        if let Some(reply) = state.replies.pop_front() {
            state.reply_octets = state.reply_octets.saturating_sub(reply.len());
            self.emptied.notify_waiters();
            return Some(Next::Reply(reply));
        }
        if let Some((size, item)) = state.items.pop_front() {
            state.item_octets = state.item_octets.saturating_sub(size);
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
    use chappe_event::EventName;
    use eetf::Atom;

    use super::*;

    fn pid() -> Pid {
        Pid { node: Atom::from("a@b"), id: 1, serial: 0, creation: 0 }
    }

    fn event(body: usize) -> Item {
        let mut event = Event::new(EventName::Message);
        event.set_body(Some(vec![b'x'; body].into()));
        Item::Event(Arc::new(event), pid())
    }

    fn line() -> Item {
        Item::Line(Arc::new(LogLine::default()), pid())
    }

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

    #[test]
    fn answers_overtake_and_the_rest_is_counted() {
        let outbox = Outbox::new(2);
        for item in [event(0), line(), event(0), line(), line()] {
            outbox.offer(item);
        }
        outbox.try_reply(vec![]).expect("room");
        assert_eq!(drain(&outbox), "rel(1,2)");
    }

    #[test]
    fn octets_are_bounded() {
        let outbox = Outbox::new(usize::MAX);
        (0..70).for_each(|_| outbox.offer(event(1024 * 1024)));
        assert_eq!(drain(&outbox), format!("{}(6,0)", "e".repeat(64)));
        outbox.try_reply(vec![0; MAX_REPLY_OCTETS]).expect("room");
        assert!(outbox.try_reply(vec![0]).is_err());
    }

    #[test]
    fn flushing_takes_one_kind_and_closing_keeps_answers() {
        let outbox = Outbox::new(9);
        for item in [event(0), line(), event(0)] {
            outbox.offer(item);
        }
        outbox.flush(true);
        outbox.try_reply(vec![]).expect("room");
        assert_eq!(drain(&outbox), "rl");
        outbox.offer(event(0));
        outbox.try_reply(vec![]).expect("room");
        outbox.close();
        outbox.offer(event(0));
        assert_eq!(drain(&outbox), "r.");
    }

    #[tokio::test]
    async fn nobody_waits_for_a_node_that_is_gone() {
        let outbox = Arc::new(Outbox::new(9));
        outbox.try_reply(vec![0; MAX_REPLY_OCTETS]).expect("room");
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let outbox = outbox.clone();
            waiting.spawn(async move { outbox.reply(vec![0]).await });
        }
        // The others run until they wait.
        tokio::task::yield_now().await;
        assert!(waiting.try_join_next().is_none());
        outbox.close();
        let ended = tokio::time::timeout(std::time::Duration::from_secs(5), waiting.join_all()).await;
        assert_eq!(ended.expect("all end").len(), 3);
        assert_eq!(drain(&outbox), "r.");
    }
}
