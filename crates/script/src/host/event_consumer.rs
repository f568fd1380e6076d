//! `EventConsumer`: events as they are fired. FreeSWITCH switch_cpp.cpp `EventConsumer`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chappe_event::{Bus, Event, EventName, Subscriber, SubscriberId};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Kind::{Integer, Text};
use super::{Function, NEW, needed, optional};
use crate::{HostError, Object, Run, Value};

const OBJECT: Object = Object::EventConsumer;

pub const FUNCTIONS: &[Function] = &[
    Function {
        object: OBJECT,
        name: NEW,
        arguments: &[optional("name", Text), optional("subclass", Text), optional("length", Integer)],
        returns: "the consumer",
        doc: "Collect events of a name, 5000 at most; those that find no room are dropped, with a line in the log.",
        run: new,
    },
    Function {
        object: OBJECT,
        name: "bind",
        arguments: &[needed("name", Text), optional("subclass", Text)],
        returns: "1, or 0 when there is no such event",
        doc: "Collect events of this name too.",
        run: bind,
    },
    Function {
        object: OBJECT,
        name: "pop",
        arguments: &[optional("block", Integer), optional("milliseconds", Integer)],
        returns: "an event, or nil",
        doc: "The next event; with block it is waited for, as long as is said, else for ever.",
        run: pop,
    },
    Function {
        object: OBJECT,
        name: "cleanup",
        arguments: &[],
        returns: "",
        doc: "Collect no more.",
        run: cleanup,
    },
];

/// The events that a consumer holds unless it says otherwise, and at most.
const LENGTH: usize = 5000;
/// The names that one consumer may collect.
const MAX_BOUND: usize = 95;

/// A queue of events that were fired.
#[derive(Default)]
pub struct Consumer {
    queue: Mutex<VecDeque<Arc<Event>>>,
    length: usize,
    arrived: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bound: Vec<(EventName, Option<String>)>,
    subscription: Option<SubscriberId>,
    /// It was cleaned up, for good.
    over: bool,
}

impl Consumer {
    /// Stops collecting, and forgets what was collected.
    pub(crate) fn cleanup(&self, bus: &Bus) {
        let subscription = {
            let mut state = self.state.lock();
            state.over = true;
            state.bound.clear();
            state.subscription.take()
        };
        if let Some(subscription) = subscription {
            bus.unsubscribe(subscription);
        }
        self.queue.lock().clear();
    }

    fn bind(self: &Arc<Self>, bus: &Bus, name: EventName, subclass: Option<String>) -> bool {
        let first = {
            let mut state = self.state.lock();
            if state.over || state.bound.len() >= MAX_BOUND {
                return false;
            }
            state.bound.push((name, subclass));
            state.subscription.is_none()
        };
        if first {
            let subscription = bus.subscribe(self.clone());
            self.state.lock().subscription = Some(subscription);
        } else {
            bus.refresh();
        }
        true
    }

    async fn next(&self) -> Arc<Event> {
        loop {
            let arrived = self.arrived.notified();
            if let Some(event) = self.queue.lock().pop_front() {
                return event;
            }
            arrived.await;
        }
    }
}

impl Subscriber for Consumer {
    fn wants(&self, name: EventName, subclass: Option<&str>) -> bool {
        self.state.lock().bound.iter().any(|(bound, wanted)| {
            let by_subclass = match (wanted, subclass) {
                (Some(wanted), Some(subclass)) => wanted == subclass,
                _ => true,
            };
            *bound == EventName::All || (*bound == name && by_subclass)
        })
    }

    fn deliver(&self, event: &Arc<Event>) {
        let mut queue = self.queue.lock();
        if queue.len() >= self.length {
            tracing::error!("Cannot queue any more events.....");
            return;
        }
        queue.push_back(event.clone());
        drop(queue);
        self.arrived.notify_one();
    }
}

fn new(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let length = usize::try_from(args[2].integer()).ok().filter(|length| (1..=LENGTH).contains(length));
    let consumer = Arc::new(Consumer { length: length.unwrap_or(LENGTH), ..Consumer::default() });
    let handle = run.add_consumer(consumer.clone())?;
    if args[0].given().is_some() {
        bind_to(run, &consumer, &args[0], &args[1]);
    }
    Ok(handle)
}

fn bind(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let consumer = run.consumer(&args[0])?;
    Ok(Value::Integer(i64::from(bind_to(run, &consumer, &args[1], &args[2]))))
}

fn bind_to(run: &Run, consumer: &Arc<Consumer>, name: &Value, subclass: &Value) -> bool {
    let name = name.text();
    let Some(event) = EventName::parse(&name) else {
        tracing::warn!("Can't bind to {name}, event not found");
        return false;
    };
    let subclass = subclass.given().map(std::borrow::Cow::into_owned);
    let bound = consumer.bind(run.world().bus(), event, subclass);
    if bound {
        tracing::debug!("bound to {name}");
    } else {
        tracing::error!("Cannot bind to {name}");
    }
    bound
}

fn pop(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    let consumer = run.consumer(&args[0])?;
    let (block, milliseconds) = (args[1].integer() != 0, args[2].integer());
    let event = match u64::try_from(milliseconds) {
        _ if !block => consumer.queue.lock().pop_front(),
        Ok(milliseconds) if milliseconds > 0 => {
            let time = Duration::from_millis(milliseconds);
            run.wait(async { tokio::time::timeout(time, consumer.next()).await.ok() })?
        }
        _ => Some(run.wait(consumer.next())?),
    };
    match event {
        Some(event) => run.add_event(Arc::unwrap_or_clone(event)),
        None => Ok(Value::Nil),
    }
}

fn cleanup(run: &mut Run, args: &[Value]) -> Result<Value, HostError> {
    run.consumer(&args[0])?.cleanup(run.world().bus());
    Ok(Value::Nil)
}
