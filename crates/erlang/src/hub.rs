//! All nodes that are connected: what the bus and the log deliver goes from here to each that wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use chappe_event::{Event, EventName, LogLevel, LogLine, LogSink, Subscriber};
use chappe_event_socket::subscription::Subscription;
use eetf::{Pid, Term};
use erl_dist::message::Message;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::filter::Filter;
use crate::outbox::{Item, Outbox};
use crate::{Encoding, wire};

/// One connected node.
pub(crate) struct Member {
    /// The peer's name.
    pub(crate) node: String,
    /// Who this node is to the peer: every connection has a process identifier of its own.
    pub(crate) own: Pid,
    pub(crate) encoding: Encoding,
    pub(crate) outbox: Outbox,
    wishes: ArcSwap<Wishes>,
    /// Events sent, events lost, log lines sent, log lines lost.
    pub(crate) counts: [AtomicU64; 4],
    /// Asked to end, by a newer connection of the same node or by the end of the module.
    pub(crate) dismissed: Notify,
}

/// What a node wants to hear.
#[derive(Clone, Default)]
pub(crate) struct Wishes {
    pub(crate) subscription: Subscription,
    pub(crate) filters: Vec<Filter>,
    /// The process that events are sent to; without one nothing is sent.
    pub(crate) event_handler: Option<Pid>,
    pub(crate) log_handler: Option<Pid>,
    pub(crate) log_level: Option<LogLevel>,
}

impl Wishes {
    fn wants(&self, name: EventName, subclass: Option<&str>) -> bool {
        self.event_handler.is_some() && self.subscription.wants(name, subclass)
    }

    fn passes(&self, event: &Event) -> bool {
        self.subscription.passes(event) && Filter::pass(&self.filters, event)
    }

    fn log_level(&self) -> Option<LogLevel> {
        self.log_handler.as_ref().and(self.log_level)
    }
}

impl Member {
    pub(crate) fn new(node: String, own: Pid, encoding: Encoding, max_queue_len: usize) -> Self {
        let outbox = Outbox::new(max_queue_len);
        Self {
            node,
            own,
            encoding,
            outbox,
            wishes: ArcSwap::default(),
            counts: Default::default(),
            dismissed: Notify::new(),
        }
    }

    pub(crate) fn wish(&self, wishes: Wishes) {
        self.wishes.store(Arc::new(wishes));
    }

    pub(crate) fn wishes(&self) -> Arc<Wishes> {
        self.wishes.load_full()
    }

    /// Counts events or log lines that were sent or lost.
    pub(crate) fn count(&self, events: bool, lost: bool, more: u64) {
        let at = if events { 0 } else { 2 } + usize::from(lost);
        self.counts[at].fetch_add(more, Ordering::Relaxed);
    }

    /// Sends a message to a process of the peer's; waits while the peer takes no answers.
    pub(crate) async fn send(&self, to: Pid, term: Term) {
        if let Some(frame) = self.frame(Message::send(to, term)) {
            self.outbox.reply(frame).await;
        }
    }

    /// The same, at once or not at all.
    pub(crate) fn try_send(&self, to: Pid, term: Term) -> bool {
        self.frame(Message::send(to, term)).is_some_and(|frame| self.outbox.try_reply(frame).is_ok())
    }

    /// The message in octets; what can't be said is told to the log.
    pub(crate) fn frame(&self, message: Message) -> Option<Vec<u8>> {
        let frame = wire::encode(message);
        frame.inspect_err(|error| tracing::error!(node = %self.node, "failed to answer: {error}")).ok()
    }
}

/// The nodes there are.
#[derive(Default)]
pub(crate) struct Hub {
    members: ArcSwap<Vec<Arc<Member>>>,
    /// Held while the list is exchanged.
    changing: Mutex<()>,
    removed: Notify,
}

impl Hub {
    /// Adds a node. One of the same name that is still there has lost its connection without a word: it is dismissed.
    pub(crate) fn add(&self, member: Arc<Member>) {
        let _changing = self.changing.lock();
        let mut members = Vec::clone(&self.members.load());
        for stale in members.iter().filter(|known| known.node == member.node) {
            stale.dismissed.notify_one();
        }
        members.push(member);
        self.members.store(Arc::new(members));
    }

    pub(crate) fn remove(&self, member: &Arc<Member>) {
        let _changing = self.changing.lock();
        let members = self.members.load();
        let left: Vec<_> = members.iter().filter(|known| !Arc::ptr_eq(known, member)).cloned().collect();
        self.members.store(Arc::new(left));
        self.removed.notify_one();
    }

    /// Waits until there are no nodes.
    pub(crate) async fn emptied(&self) {
        while !self.members.load().is_empty() {
            self.removed.notified().await;
        }
    }

    pub(crate) fn members(&self) -> Arc<Vec<Arc<Member>>> {
        self.members.load_full()
    }
}

impl Subscriber for Hub {
    fn wants(&self, name: EventName, subclass: Option<&str>) -> bool {
        self.members.load().iter().any(|member| member.wishes.load().wants(name, subclass))
    }

    fn deliver(&self, event: &Arc<Event>) {
        for member in self.members.load().iter() {
            let wishes = member.wishes.load();
            if let Some(pid) = wishes.event_handler.as_ref().filter(|_| wishes.passes(event)) {
                member.outbox.offer(Item::Event(event.clone(), pid.clone()));
            }
        }
    }
}

impl LogSink for Hub {
    fn level(&self) -> Option<LogLevel> {
        self.members.load().iter().filter_map(|member| member.wishes.load().log_level()).max()
    }

    fn log(&self, line: &Arc<LogLine>) {
        for member in self.members.load().iter() {
            let wishes = member.wishes.load();
            let wanted = wishes.log_level().is_some_and(|level| level >= line.level);
            if let Some(pid) = wishes.log_handler.as_ref().filter(|_| wanted) {
                member.outbox.offer(Item::Line(line.clone(), pid.clone()));
            }
        }
    }
}
