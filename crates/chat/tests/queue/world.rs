//! A router with a queue, devices that do as the test says, and a time that the test turns.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chappe_api::Registry;
use chappe_chat::{
    Again, ChatInterface, CopyEnd, Delivery, NoAltPlans, QueueSettings, Rest, Router, RouterDeps, Sent,
    Tried, Verdict,
};
use chappe_event::{Bus, Event, EventName, Globals, Identity, ManualClock, Subscriber};
use chappe_store::{MemoryStore, MessageId, Store, Summary};
use tokio::sync::oneshot;

pub struct World {
    pub router: Arc<Router>,
    pub clock: Arc<ManualClock>,
    pub store: Arc<MemoryStore>,
    pub sip: Arc<Sip>,
    seen: Arc<Seen>,
}

/// The devices of all users.
#[derive(Default)]
pub struct Sip {
    /// By `user@domain`, in the order of their q.
    users: Mutex<BTreeMap<String, Vec<Device>>>,
    /// What was sent, as `DEVICE: BODY`.
    sent: Mutex<Vec<String>>,
    /// Copies without an answer.
    open: Mutex<Vec<(String, oneshot::Sender<u16>)>>,
}

struct Device {
    contact: String,
    /// Its next answers, the last one for ever; 0: none.
    answers: VecDeque<u16>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(QueueSettings::default()).await
    }

    pub async fn with(settings: QueueSettings) -> Self {
        let world = Self::closed();
        world.router.queue().configure(settings);
        world.open().await;
        world
    }

    /// The store is not read yet.
    pub fn closed() -> Self {
        Self::on(Arc::new(MemoryStore::default()))
    }

    /// A server that starts on what another left.
    pub fn on(store: Arc<MemoryStore>) -> Self {
        let clock = Arc::new(ManualClock::at(1_795_000_000_000_000));
        let bus = Arc::new(Bus::new(Arc::new(Identity::default()), clock.clone()));
        let router = Router::new(RouterDeps {
            bus: bus.clone(),
            registry: Arc::new(Registry::new()),
            globals: Arc::new(Globals::default()),
            clock: clock.clone(),
            spawn: Arc::new(|work| drop(tokio::spawn(work))),
            alt_plans: Arc::new(NoAltPlans),
        });
        let sip = Arc::new(Sip::default());
        router.add_interface(sip.clone());
        let seen = Arc::new(Seen::default());
        bus.subscribe(seen.clone());
        Self { router, clock, store, sip, seen }
    }

    pub async fn open(&self) {
        self.router.queue().open(self.store.clone()).await.expect("the store can be read");
        tokio::spawn(self.router.queue().clone().keep_house());
        settle().await;
    }

    /// Sends `body` to a user and waits for the verdict.
    pub async fn send(&self, to: &str, body: &str) -> Verdict {
        self.route(message(to, body)).await
    }

    pub async fn route(&self, message: Event) -> Verdict {
        let verdict = self.router.route(message).await;
        settle().await;
        verdict
    }

    /// A device of the user registers that gives these answers.
    pub async fn register(&self, user: &str, contact: &str, answers: &[u16]) {
        self.sip.set(user, contact, answers);
        self.router.queue().came(&format!("{user}@chat.test"), true);
        settle().await;
    }

    pub fn unregister(&self, user: &str, contact: &str) {
        let mut users = self.sip.users();
        users.entry(format!("{user}@chat.test")).or_default().retain(|device| device.contact != contact);
    }

    /// What was sent since the last look.
    pub fn sent(&self) -> Vec<String> {
        std::mem::take(&mut *self.sip.sent.lock().expect("nobody panicked"))
    }

    /// The reports since the last look, as `STATUS CODE DEVICE`.
    pub fn reports(&self) -> Vec<String> {
        self.seen.take("SMS::DELIVERY_REPORT").iter().map(report).collect()
    }

    pub fn events(&self, subclass: &str) -> Vec<Event> {
        self.seen.take(subclass)
    }

    pub async fn stored(&self) -> Vec<Summary> {
        self.store.list(Default::default(), 0, 1000).await.expect("it can be read")
    }

    /// The states of all messages, in their order.
    pub async fn states(&self) -> Vec<&'static str> {
        self.stored().await.iter().map(|summary| summary.state.as_str()).collect()
    }
}

fn report(event: &Event) -> String {
    let header = |name| event.get(name).unwrap_or("-");
    format!("{} {} {}", header("Status"), header("Delivery-Result-Code"), header("Delivery-Device"))
}

/// Lets everything that can go on do so.
pub async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

pub async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    settle().await;
}

pub fn message(to: &str, body: &str) -> Event {
    let mut event = Event::new(EventName::Message);
    let to = format!("{to}@chat.test");
    let headers = [
        ("proto", "sip"),
        ("from", "1004@chat.test"),
        ("to", to.as_str()),
        ("type", "text/plain"),
        ("dest_proto", "sip"),
    ];
    headers.into_iter().for_each(|(name, value)| event.add(name, value));
    event.set_body(Some(body.to_owned().into()));
    event
}

pub fn id(summary: &Summary) -> MessageId {
    summary.id.clone()
}

impl Sip {
    fn users(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Device>>> {
        self.users.lock().expect("nobody panicked")
    }

    pub fn set(&self, user: &str, contact: &str, answers: &[u16]) {
        let mut users = self.users();
        let devices = users.entry(format!("{user}@chat.test")).or_default();
        devices.retain(|device| device.contact != contact);
        devices.push(Device { contact: contact.to_owned(), answers: answers.iter().copied().collect() });
    }

    /// A device that kept silent answers after all.
    pub async fn answer(&self, contact: &str, code: u16) {
        let place = {
            let open = self.open.lock().expect("nobody panicked");
            open.iter().position(|(device, _)| device == contact).expect("it was asked")
        };
        let (_, told) = self.open.lock().expect("nobody panicked").remove(place);
        told.send(code).expect("somebody waits");
        settle().await;
    }

    /// Sends to all devices but those; how each ends.
    fn fork(
        &self,
        message: &Event,
        without: &[Box<str>],
    ) -> Vec<(String, Result<u16, oneshot::Receiver<u16>>)> {
        let to = message.get("to").unwrap_or_default().to_owned();
        let mut users = self.users();
        let devices = users.entry(to).or_default().iter_mut();
        let wanted = devices.filter(|device| !without.iter().any(|other| **other == *device.contact));
        let send = |device: &mut Device| {
            self.sent.lock().expect("nobody panicked").push(format!(
                "{}: {}",
                device.contact,
                message.body_text()
            ));
            let code = match device.answers.len() {
                0 | 1 => device.answers.front().copied().unwrap_or(200),
                _ => device.answers.pop_front().unwrap_or(200),
            };
            if code != 0 {
                return (device.contact.clone(), Ok(code));
            }
            let (told, end) = oneshot::channel();
            self.open.lock().expect("nobody panicked").push((device.contact.clone(), told));
            (device.contact.clone(), Err(end))
        };
        wanted.map(send).collect()
    }
}

fn copy(device: &str, code: u16) -> CopyEnd {
    CopyEnd { device: device.into(), code, reason: if code == 0 { "No Answer" } else { "R" }.into() }
}

/// A silent device is given up after Timer F.
async fn end(device: String, end: oneshot::Receiver<u16>) -> CopyEnd {
    let code = tokio::time::timeout(Duration::from_secs(32), end).await;
    copy(&device, code.ok().and_then(Result::ok).unwrap_or(0))
}

fn delivery(copies: &[CopyEnd]) -> Delivery {
    let device = |copy: &CopyEnd| Some(copy.device.to_string());
    if let Some(taken) = copies.iter().find(|copy| (200..300).contains(&copy.code)) {
        return Delivery::Delivered { code: taken.code, device: device(taken) };
    }
    match copies.iter().filter(|copy| copy.code >= 300).min_by_key(|copy| (copy.code < 600, copy.code)) {
        Some(refused) => Delivery::Refused {
            code: refused.code,
            reason: refused.reason.to_string(),
            device: device(refused),
        },
        None => Delivery::NoAnswer,
    }
}

type Forked = Vec<(String, Result<u16, oneshot::Receiver<u16>>)>;

/// As the endpoint does: the first 2xx at once, else the best when all have ended or `patience` is over.
async fn tried(forked: Forked, patience: Duration) -> Tried {
    let mut copies: Vec<CopyEnd> = Vec::new();
    let mut open = Vec::new();
    for (device, ended) in forked {
        match ended {
            Ok(code) => copies.push(copy(&device, code)),
            Err(receiver) => open.push((device, receiver)),
        }
    }
    let is_taken = copies.iter().any(|copy| copy.code / 100 == 2);
    let devices: Vec<Box<str>> = open.iter().map(|(device, _)| device.as_str().into()).collect();
    let (told, all) = oneshot::channel();
    let any_open = !open.is_empty();
    tokio::spawn(async move {
        let mut ends = Vec::new();
        for (device, receiver) in open {
            ends.push(end(device, receiver).await);
        }
        let _ = told.send(ends);
    });
    let mut all = Box::pin(async move { all.await.unwrap_or_default() });
    if any_open && (is_taken || patience < Duration::from_secs(32)) {
        if !is_taken && let Ok(ends) = tokio::time::timeout(patience, &mut all).await {
            copies.extend(ends);
            return Tried { delivery: delivery(&copies), copies, rest: None };
        }
        let delivery = if is_taken { delivery(&copies) } else { Delivery::NoAnswer };
        return Tried { delivery, copies, rest: Some(Rest { devices, end: all }) };
    }
    copies.extend(all.await);
    Tried { delivery: delivery(&copies), copies, rest: None }
}

impl ChatInterface for Sip {
    fn name(&self) -> &str {
        "sip"
    }

    fn send<'a>(&'a self, message: &'a mut Event) -> Sent<'a> {
        let forked = self.fork(message, &[]);
        if forked.is_empty() {
            return Sent::Now(Delivery::NobodyRegistered);
        }
        Sent::Later(Box::pin(tried(forked, Duration::from_secs(2))))
    }

    fn send_again(self: Arc<Self>, message: Event, without: Vec<Box<str>>) -> Again {
        let forked = self.fork(&message, &without);
        if forked.is_empty() {
            let end = std::future::ready(Delivery::NobodyRegistered.into());
            return Again { devices: Vec::new(), end: Box::pin(end) };
        }
        let devices = forked.iter().map(|(device, _)| device.as_str().into()).collect();
        Again { devices, end: Box::pin(tried(forked, Duration::from_secs(60))) }
    }

    fn recipient(&self, message: &Event) -> Option<String> {
        message.get("to").map(str::to_owned)
    }

    fn may_reach(&self, recipient: &str) -> bool {
        self.users().get(recipient).is_some_and(|devices| !devices.is_empty())
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<Event>>);

impl Seen {
    fn take(&self, subclass: &str) -> Vec<Event> {
        let mut all = self.0.lock().expect("nobody panicked");
        let (wanted, others): (Vec<_>, Vec<_>) =
            all.drain(..).partition(|event| event.subclass() == Some(subclass));
        *all = others;
        wanted
    }
}

impl Subscriber for Seen {
    fn wants(&self, name: EventName, _: Option<&str>) -> bool {
        name == EventName::Custom
    }

    fn deliver(&self, event: &Arc<Event>) {
        self.0.lock().expect("nobody panicked").push(Event::clone(event));
    }
}
