//! All connections of one event socket: what the bus and the log deliver goes from here to each that wants it.

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use chappe_event::{Event, EventName, LogLevel, LogLine, LogSink, Subscriber};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::outbox::{Item, Outbox};
use super::shared::{SharedEvent, SharedLine};
use super::strikes::Strikes;
use crate::subscription::{Format, Subscription};

/// One connection as the hub sees it. What it wants is read without a lock.
pub struct Member {
    pub(super) peer: IpAddr,
    pub outbox: Outbox,
    wishes: ArcSwap<Wishes>,
}

#[derive(Default)]
struct Wishes {
    subscription: Subscription,
    log_level: Option<LogLevel>,
}

impl Member {
    pub fn new(peer: IpAddr, max_queue_len: usize) -> Self {
        Self { peer, outbox: Outbox::new(max_queue_len), wishes: ArcSwap::default() }
    }

    /// From here on the client hears what `subscription` says; [`Bus::refresh`](chappe_event::Bus::refresh) follows.
    pub fn subscribe(&self, subscription: Subscription) {
        let log_level = self.wishes.load().log_level;
        self.wishes.store(Arc::new(Wishes { subscription, log_level }));
    }

    /// How the client wants its events.
    pub(super) fn format(&self) -> Format {
        self.wishes.load().subscription.format
    }

    /// From here on the client is sent log lines up to this level; [`LogBus::refresh`](chappe_event::LogBus::refresh)
    /// follows.
    pub fn set_log_level(&self, log_level: Option<LogLevel>) {
        let subscription = self.wishes.load().subscription.clone();
        self.wishes.store(Arc::new(Wishes { subscription, log_level }));
    }
}

/// The connections there are.
#[derive(Default)]
pub struct Hub {
    members: ArcSwap<Vec<Arc<Member>>>,
    /// Held while the list is exchanged.
    changing: Mutex<()>,
    removed: Notify,
    pub(super) strikes: Strikes,
}

impl Hub {
    pub fn add(&self, member: Arc<Member>) {
        let _changing = self.changing.lock();
        let mut members = Vec::clone(&self.members.load());
        members.push(member);
        self.members.store(Arc::new(members));
    }

    pub fn remove(&self, member: &Arc<Member>) {
        let _changing = self.changing.lock();
        let members = self.members.load();
        let left: Vec<_> = members.iter().filter(|known| !Arc::ptr_eq(known, member)).cloned().collect();
        self.members.store(Arc::new(left));
        self.removed.notify_one();
    }

    /// Waits until there are no connections.
    pub async fn emptied(&self) {
        while !self.members.load().is_empty() {
            self.removed.notified().await;
        }
    }

    pub fn members(&self) -> Arc<Vec<Arc<Member>>> {
        self.members.load_full()
    }
}

impl Subscriber for Hub {
    fn wants(&self, name: EventName, subclass: Option<&str>) -> bool {
        self.members.load().iter().any(|member| member.wishes.load().subscription.wants(name, subclass))
    }

    fn deliver(&self, event: &Arc<Event>) {
        let mut shared: Option<Arc<SharedEvent>> = None;
        for member in self.members.load().iter() {
            let wishes = member.wishes.load();
            if wishes.subscription.passes(event) {
                let format = wishes.subscription.format;
                let shared = shared.get_or_insert_with(|| Arc::new(SharedEvent::new(event.clone())));
                shared.want(format);
                member.outbox.offer(Item::Event(shared.clone(), format));
            }
        }
        if let Some(shared) = shared {
            shared.complete();
        }
    }
}

impl LogSink for Hub {
    fn level(&self) -> Option<LogLevel> {
        self.members.load().iter().filter_map(|member| member.wishes.load().log_level).max()
    }

    fn log(&self, line: &Arc<LogLine>) {
        let mut shared = None;
        for member in self.members.load().iter() {
            if member.wishes.load().log_level.is_some_and(|level| level >= line.level) {
                let shared = shared.get_or_insert_with(|| Arc::new(SharedLine::new(line.clone())));
                member.outbox.offer(Item::Line(shared.clone()));
            }
        }
    }
}
