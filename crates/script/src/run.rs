//! One run of one script: what it owns, and how long it may take.

mod objects;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chappe_chat::Sending;
use chappe_event::Event;

use crate::host::{self, dbh::Dbh, event_consumer::Consumer};
use crate::{Handle, HostError, Object, Value, World, block};
use objects::Objects;

/// What a script may have at once, and write.
const MAX_EVENTS: usize = 1000;
const MAX_CONSUMERS: usize = 16;
const MAX_DBHS: usize = 16;
const MAX_WRITTEN: usize = 4 << 20;
/// The octets that a run may put into events.
const MAX_HELD: usize = 64 << 20;
/// How often one run may have the server send something.
const MAX_SENT: usize = 100;

/// What one run of one script owns. Whoever runs it makes it, hands it to an engine and takes the [`Harvest`].
pub struct Run {
    world: Arc<World>,
    events: Objects<Slot>,
    consumers: Objects<Arc<Consumer>>,
    dbhs: Objects<Dbh>,
    stream: Option<Vec<u8>>,
    sent: Vec<Sending>,
    held: usize,
    /// How often an app that deals with messages ran.
    dealt: usize,
    /// How long the run may take, and when that is over.
    limit: Option<(Duration, Instant)>,
}

/// An event, and whether the script made it: one that it was given can't be fired.
struct Slot {
    event: Event,
    own: bool,
}

/// What is left of a run.
#[derive(Default)]
pub struct Harvest {
    /// The message as the script left it.
    pub message: Option<Event>,
    /// What the script wrote to `stream`.
    pub written: Vec<u8>,
    /// The deliveries that it began.
    pub sent: Vec<Sending>,
    /// It ran an app that deals with messages.
    pub dealt: bool,
}

impl Run {
    pub fn new(world: Arc<World>) -> Self {
        Self {
            world,
            events: Objects::new(Handle::FIRST, MAX_EVENTS),
            consumers: Objects::new(0, MAX_CONSUMERS),
            dbhs: Objects::new(0, MAX_DBHS),
            stream: None,
            sent: Vec::new(),
            held: 0,
            dealt: 0,
            limit: None,
        }
    }

    /// Gives the script one of [`Handle::MESSAGE`], [`Handle::ENV`] and [`Handle::EVENT`].
    #[must_use]
    pub fn with_event(mut self, handle: Handle, event: Event) -> Self {
        self.events.put(handle.id, Slot { event, own: false });
        self
    }

    /// Lets the script write.
    #[must_use]
    pub fn with_stream(mut self) -> Self {
        self.stream = Some(Vec::new());
        self
    }

    /// From here on the run may take this long.
    pub fn start(&mut self, limit: Option<Duration>) {
        self.limit = limit.and_then(|limit| Some((limit, Instant::now().checked_add(limit)?)));
    }

    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Calls a function of the host table: a method's first argument is its object, a class's constructor is `new`.
    /// Blocks while the server does what it is asked.
    pub fn call(&mut self, object: Object, name: &str, args: Vec<Value>) -> Result<Value, HostError> {
        host::find(object, name)
            .ok_or_else(|| HostError::Unknown(format!("{}::{name}", object.as_str())))?
            .call(self, args)
    }

    /// Whether the run was given this object, or made it.
    pub fn has(&self, handle: Handle) -> bool {
        match handle.object {
            Object::Event => self.events.get(handle.id).is_some(),
            Object::EventConsumer => self.consumers.get(handle.id).is_some(),
            Object::Dbh => self.dbhs.get(handle.id).is_some(),
            Object::Stream => self.stream.is_some(),
            _ => false,
        }
    }

    /// An event of this run.
    pub fn event(&self, handle: Handle) -> Result<&Event, HostError> {
        let slot = self.events.get(handle.id).filter(|_| handle.object == Object::Event);
        slot.map(|slot| &slot.event).ok_or(HostError::Gone)
    }

    /// Drops an object that the script has no use for any more. What the run was given stays.
    pub fn release(&mut self, handle: Handle) {
        match handle.object {
            Object::Event if handle.id >= Handle::FIRST => self.events.remove(handle.id),
            Object::EventConsumer => {
                if let Some(consumer) = self.consumers.get(handle.id) {
                    consumer.cleanup(self.world.bus());
                }
                self.consumers.remove(handle.id);
            }
            Object::Dbh => self.dbhs.remove(handle.id),
            _ => {}
        }
    }

    /// The time the run may still take; `None` when it has no limit.
    pub fn time_left(&self) -> Option<Duration> {
        self.limit.map(|(_, until)| until.saturating_duration_since(Instant::now()))
    }

    /// Whether the script may go on.
    pub fn check(&self) -> Result<(), HostError> {
        match self.limit {
            _ if self.world.is_stopping() => Err(HostError::Stopping),
            Some((limit, until)) if Instant::now() >= until => Err(HostError::TimedOut(limit)),
            _ => Ok(()),
        }
    }

    pub(crate) fn until(&self) -> Option<Instant> {
        self.limit.map(|(_, until)| until)
    }

    /// Ends the run.
    pub fn finish(mut self) -> Harvest {
        for consumer in self.consumers.iter() {
            consumer.cleanup(self.world.bus());
        }
        let message = self.events.take(Handle::MESSAGE.id).map(|slot| slot.event);
        Harvest {
            message,
            written: self.stream.take().unwrap_or_default(),
            sent: std::mem::take(&mut self.sent),
            dealt: self.dealt > 0,
        }
    }

    /// Waits for something, as long as the run may.
    pub(crate) fn wait<F: Future>(&self, future: F) -> Result<F::Output, HostError> {
        // Timers and sockets are the runtime's.
        let _runtime = self.world.runtime().enter();
        match block::on(future, self.until(), || self.world.is_stopping()) {
            Some(output) => Ok(output),
            None => Err(self.check().err().unwrap_or(HostError::Stopping)),
        }
    }

    pub(crate) fn add_event(&mut self, event: Event) -> Result<Value, HostError> {
        let id = self.events.add(Slot { event, own: true });
        let id = id.ok_or(HostError::TooMany { what: "events", most: MAX_EVENTS })?;
        Ok(Value::Object(Handle { object: Object::Event, id }))
    }

    pub(crate) fn add_consumer(&mut self, consumer: Arc<Consumer>) -> Result<Value, HostError> {
        let id = self.consumers.add(consumer);
        let id = id.ok_or(HostError::TooMany { what: "event consumers", most: MAX_CONSUMERS })?;
        Ok(Value::Object(Handle { object: Object::EventConsumer, id }))
    }

    pub(crate) fn add_dbh(&mut self, dbh: Dbh) -> Result<Value, HostError> {
        let id = self.dbhs.add(dbh);
        let id = id.ok_or(HostError::TooMany { what: "database handles", most: MAX_DBHS })?;
        Ok(Value::Object(Handle { object: Object::Dbh, id }))
    }

    pub(crate) fn event_of(&self, value: &Value) -> Result<&Event, HostError> {
        match value {
            Value::Object(handle) => self.event(*handle),
            _ => Err(HostError::Gone),
        }
    }

    pub(crate) fn event_mut(&mut self, value: &Value) -> Result<&mut Event, HostError> {
        let slot = match value {
            Value::Object(Handle { object: Object::Event, id }) => self.events.get_mut(*id),
            _ => None,
        };
        slot.map(|slot| &mut slot.event).ok_or(HostError::Gone)
    }

    /// Whether the script made the event itself.
    pub(crate) fn owns(&self, value: &Value) -> bool {
        matches!(value, Value::Object(handle) if self.events.get(handle.id).is_some_and(|slot| slot.own))
    }

    pub(crate) fn consumer(&self, value: &Value) -> Result<Arc<Consumer>, HostError> {
        let consumer = match value {
            Value::Object(handle) => self.consumers.get(handle.id),
            _ => None,
        };
        consumer.cloned().ok_or(HostError::Gone)
    }

    pub(crate) fn dbh(&mut self, value: &Value) -> Result<&mut Dbh, HostError> {
        let dbh = match value {
            Value::Object(handle) => self.dbhs.get_mut(handle.id),
            _ => None,
        };
        dbh.ok_or(HostError::Gone)
    }

    pub(crate) fn write(&mut self, octets: &[u8]) -> Result<(), HostError> {
        let stream = self.stream.as_mut().ok_or(HostError::Gone)?;
        if stream.len() + octets.len() > MAX_WRITTEN {
            return Err(HostError::WritesTooMuch { most: MAX_WRITTEN });
        }
        stream.extend_from_slice(octets);
        Ok(())
    }

    pub(crate) fn written(&self) -> &[u8] {
        self.stream.as_deref().unwrap_or_default()
    }

    /// Notes that so many octets are put into an event.
    pub(crate) fn hold(&mut self, octets: usize) -> Result<(), HostError> {
        self.held = self.held.saturating_add(octets);
        if self.held > MAX_HELD { Err(HostError::WritesTooMuch { most: MAX_HELD }) } else { Ok(()) }
    }

    /// Notes that an app which deals with messages is about to run; false when that is too often.
    pub(crate) fn may_deal(&mut self) -> bool {
        self.dealt += 1;
        self.dealt <= MAX_SENT
    }

    pub(crate) fn add_sent(&mut self, sending: Sending) {
        self.sent.push(sending);
    }
}

impl Harvest {
    /// The deliveries as one, the best of them; `None` when there are none. They go on when it is waited for.
    pub fn sending(&mut self) -> Option<Sending> {
        chappe_chat::best_of(std::mem::take(&mut self.sent))
    }
}
