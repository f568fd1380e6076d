//! The bus: where events are fired and listened to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::dates::{DateTexts, Dates};
use crate::{Calling, Clock, Event, EventName, Identity, Name, header};

/// Somebody who listens to events.
pub trait Subscriber: Send + Sync {
    /// Whether an event of this name and subclass is wanted.
    ///
    /// With [`EventName::Custom`] and no subclass the question is whether any CUSTOM event is wanted. The bus
    /// remembers the answers for a name: when they change, [`Bus::refresh`] has to be called, though not from in
    /// here.
    fn wants(&self, name: EventName, subclass: Option<&str>) -> bool;

    /// Takes an event. Called on the thread that fires it: it must neither block nor fire events itself without
    /// bound; a queue it fills must have a limit.
    fn deliver(&self, event: &Arc<Event>);
}

/// Names a subscription, so that it can be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SubscriberId(u64);

/// Names a hook, so that it can be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HookId(u64);

/// What a module does with an event before the listeners see it.
pub type Hook = Arc<dyn Fn(&mut Event) + Send + Sync>;

struct Hooked {
    id: HookId,
    name: EventName,
    subclass: Option<Box<str>>,
    hook: Hook,
}

impl Hooked {
    fn matches(&self, event: &Event) -> bool {
        self.name == event.name() && (self.subclass.is_none() || self.subclass.as_deref() == event.subclass())
    }
}

type Subscribers = Vec<(SubscriberId, Arc<dyn Subscriber>)>;

/// Takes events from those who fire them to those who listen.
///
/// Firing, or asking whether to, an event that nobody wants costs one atomic load. Delivery is synchronous, in
/// the order of the subscriptions, and takes no lock.
pub struct Bus {
    identity: Arc<Identity>,
    clock: Arc<dyn Clock>,
    sequence: AtomicU64,
    dates: Dates,
    subscribers: ArcSwap<Subscribers>,
    wanted: NameSet,
    hooks: ArcSwap<Vec<Arc<Hooked>>>,
    hooked: NameSet,
    next_id: AtomicU64,
    /// Held while a set of names is rebuilt, so that the answers given last are those that stay.
    rebuilding: Mutex<()>,
}

impl Bus {
    /// A bus without listeners. Its events tell of `identity` and carry the time of `clock`.
    pub fn new(identity: Arc<Identity>, clock: Arc<dyn Clock>) -> Self {
        Self {
            identity,
            clock,
            sequence: AtomicU64::new(0),
            dates: Dates::default(),
            subscribers: ArcSwap::default(),
            wanted: NameSet::default(),
            hooks: ArcSwap::default(),
            hooked: NameSet::default(),
            next_id: AtomicU64::new(1),
            rebuilding: Mutex::new(()),
        }
    }

    /// Who this server is.
    pub fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// The time that events carry.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Adds a listener.
    pub fn subscribe(&self, subscriber: Arc<dyn Subscriber>) -> SubscriberId {
        let id = SubscriberId(self.next_id.fetch_add(1, Ordering::Relaxed));
        self.subscribers.rcu(|current| {
            let mut list = Subscribers::clone(current);
            list.push((id, subscriber.clone()));
            list
        });
        self.refresh();
        id
    }

    /// Removes a listener. An event that is being fired at this moment may still reach it.
    pub fn unsubscribe(&self, id: SubscriberId) {
        self.subscribers.rcu(|current| {
            let mut list = Subscribers::clone(current);
            list.retain(|(known, _)| *known != id);
            list
        });
        self.refresh();
    }

    /// Asks all listeners again what they want. To be called when the answers of one have changed.
    pub fn refresh(&self) {
        let _one_at_a_time = self.rebuilding.lock().unwrap_or_else(PoisonError::into_inner);
        self.wanted.rebuild(|name| self.subscribers.load().iter().any(|(_, s)| s.wants(name, None)));
    }

    /// Whether anybody listens to events of this name and, if one is given, this subclass.
    pub fn wanted(&self, name: EventName, subclass: Option<&str>) -> bool {
        self.wanted.has(name)
            && (subclass.is_none() || self.subscribers.load().iter().any(|(_, s)| s.wants(name, subclass)))
    }

    /// Has `hook` change each event of this name, and this subclass if one is given, before it is delivered;
    /// also when nobody listens. Hooks run in the order in which they were added.
    pub fn add_hook(&self, name: EventName, subclass: Option<&str>, hook: Hook) -> HookId {
        let id = HookId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let hooked = Arc::new(Hooked { id, name, subclass: subclass.map(Box::from), hook });
        self.hooks.rcu(|current| {
            let mut list = Vec::clone(current);
            list.push(hooked.clone());
            list
        });
        self.refresh_hooks();
        id
    }

    /// Removes a hook. An event that is being fired at this moment may still run it.
    pub fn remove_hook(&self, id: HookId) {
        self.hooks.rcu(|current| {
            let mut list = Vec::clone(current);
            list.retain(|hooked| hooked.id != id);
            list
        });
        self.refresh_hooks();
    }

    /// A new event with the core headers.
    pub fn event(&self, name: EventName, calling: Calling) -> Event {
        let mut event = Event::new(name);
        self.prepare(&mut event, calling);
        event
    }

    /// A new CUSTOM event with its subclass and the core headers.
    pub fn custom(&self, subclass: &str, calling: Calling) -> Event {
        let mut event = Event::custom(subclass);
        self.prepare(&mut event, calling);
        event
    }

    /// Adds the core headers at the bottom: Event-Name, Core-UUID, FreeSWITCH-Hostname, -Switchname, -IPv4,
    /// -IPv6, Event-Date-Local, -GMT, -Timestamp, Event-Calling-File, -Function, -Line-Number, Event-Sequence.
    ///
    /// On an event with unique headers they replace those it has.
    /// FreeSWITCH switch_event.c switch_event_prep_for_delivery_detailed.
    pub fn prepare(&self, event: &mut Event, calling: Calling) {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        let now = self.clock.unix_micros();
        event.add(header::EVENT_NAME, event.name().as_str());
        event.add(header::CORE_UUID, &self.identity.core_uuid);
        event.add(header::FREESWITCH_HOSTNAME, &self.identity.hostname);
        event.add(header::FREESWITCH_SWITCHNAME, &self.identity.switchname);
        event.add(header::FREESWITCH_IPV4, &self.identity.ipv4);
        event.add(header::FREESWITCH_IPV6, &self.identity.ipv6);
        self.dates.with(now, &*self.clock, |DateTexts { local, gmt, .. }| {
            event.add(header::EVENT_DATE_LOCAL, local);
            event.add(header::EVENT_DATE_GMT, gmt);
        });
        event.add_display(header::EVENT_DATE_TIMESTAMP, now);
        event.add(header::EVENT_CALLING_FILE, calling.file);
        event.add(header::EVENT_CALLING_FUNCTION, calling.function);
        event.add_display(header::EVENT_CALLING_LINE_NUMBER, calling.line);
        event.add_display(header::EVENT_SEQUENCE, sequence);
    }

    /// Delivers the event to all who want it.
    ///
    /// An event without an Event-Sequence gets the core headers first, before its own. Then the hooks run. An
    /// Event-Subclass becomes the first header, as FreeSWITCH's listeners see it. Nothing of this happens when
    /// nobody wants the event and no hook is set for it.
    #[track_caller]
    pub fn fire(&self, mut event: Event) {
        let (wanted, hooked) = (self.wanted.has(event.name()), self.hooked.has(event.name()));
        if !wanted && !hooked {
            return;
        }
        if event.get(header::EVENT_SEQUENCE).is_none() {
            self.prepare_at_the_top(&mut event, Calling::here(""));
        }
        if hooked {
            for entry in self.hooks.load().iter() {
                if entry.matches(&event) {
                    (entry.hook)(&mut event);
                }
            }
        }
        if wanted {
            self.deliver(event);
        }
    }

    fn prepare_at_the_top(&self, event: &mut Event, calling: Calling) {
        let mut core = Event::new(event.name());
        self.prepare(&mut core, calling);
        let before = event.headers().len();
        for (name, value) in core.headers() {
            if event.get(name).is_none() {
                event.add(Name::copied(name), value.as_str());
            }
        }
        let added = event.headers().len() - before;
        event.lift_last(added);
    }

    fn deliver(&self, mut event: Event) {
        put_subclass_first(&mut event);
        let event = Arc::new(event);
        for (_, subscriber) in self.subscribers.load().iter() {
            if subscriber.wants(event.name(), event.subclass()) {
                subscriber.deliver(&event);
            }
        }
    }

    fn refresh_hooks(&self) {
        let _one_at_a_time = self.rebuilding.lock().unwrap_or_else(PoisonError::into_inner);
        self.hooked.rebuild(|name| self.hooks.load().iter().any(|hooked| hooked.name == name));
    }
}

/// FreeSWITCH switch_event.c switch_event_dup, which makes each listener's copy, writes it first.
fn put_subclass_first(event: &mut Event) {
    let first =
        event.headers().next().is_some_and(|(name, _)| name.eq_ignore_ascii_case(header::EVENT_SUBCLASS));
    if let Some(subclass) = event.subclass().filter(|_| !first).map(str::to_owned) {
        event.set_subclass(&subclass);
    }
}

/// A set of event names that is read with one load.
#[derive(Default)]
struct NameSet([AtomicU64; 2]);

const _: () = assert!(EventName::LIST.len() <= 128, "NameSet has a bit for each name");

impl NameSet {
    fn has(&self, name: EventName) -> bool {
        let (word, bit) = Self::place(name);
        self.0[word].load(Ordering::Acquire) & bit != 0
    }

    /// Asks for each name whether it belongs.
    fn rebuild(&self, mut belongs: impl FnMut(EventName) -> bool) {
        for &name in EventName::LIST {
            let (word, bit) = Self::place(name);
            if belongs(name) {
                self.0[word].fetch_or(bit, Ordering::AcqRel);
            } else {
                self.0[word].fetch_and(!bit, Ordering::AcqRel);
            }
        }
    }

    fn place(name: EventName) -> (usize, u64) {
        let number = name as usize;
        (number / 64, 1 << (number % 64))
    }
}
