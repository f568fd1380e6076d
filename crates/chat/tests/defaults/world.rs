//! A router with a chat interface whose recipients answer as their names say.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use chappe_api::Registry;
use chappe_chat::{
    AltPlans, BoxFuture, ChatInterface, Delivery, Opening, Router, RouterDeps, Sent, Settings, Verdict,
};
use chappe_chatplan::Plan;
use chappe_event::{Bus, Clock, Event, EventName, Globals, Identity, ManualClock, Subscriber};
use chappe_store::MemoryStore;

pub struct World {
    pub router: Arc<Router>,
    pub bus: Arc<Bus>,
    pub registry: Arc<Registry>,
    pub sip: Arc<Sip>,
    pub events: Arc<Seen>,
    spawned: Arc<Mutex<Vec<BoxFuture>>>,
}

impl World {
    /// A router whose chatplan has these extensions in its context `default`.
    pub fn with(extensions: &str) -> Self {
        let world = Self::without_plan();
        world.router.set_plan(Some(plan(extensions)));
        world
    }

    /// A router without mod_sms.
    pub fn without_plan() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(1_795_384_800_000_000));
        let bus = Arc::new(Bus::new(Arc::new(Identity::default()), clock.clone()));
        let registry = Arc::new(Registry::new());
        let spawned = Arc::new(Mutex::new(Vec::new()));
        let queue = spawned.clone();
        let router = Router::new(RouterDeps {
            bus: bus.clone(),
            registry: registry.clone(),
            globals: Arc::new(Globals::default()),
            clock,
            spawn: Arc::new(move |work| queue.lock().expect("nobody panicked").push(work)),
            alt_plans: Arc::new(Other),
        });
        chappe_chat::register_commands(&router, &registry);
        let sip = Arc::new(Sip::default());
        router.add_interface(sip.clone());
        let store = Arc::new(MemoryStore::default());
        let opened = pin!(router.queue().open(store)).poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(opened, Poll::Ready(Ok(())));
        Self { router, bus, registry, sip, events: Arc::new(Seen::default()), spawned }
    }

    pub fn with_settings(self, settings: Settings) -> Self {
        self.router.configure(self.router.quirks(), settings);
        self
    }

    /// Somebody listens to events.
    pub fn watched(self) -> Self {
        self.bus.subscribe(self.events.clone());
        self
    }

    /// Routes a message that nothing is slow for: it has to complete on its first poll.
    pub fn route(&self, message: Event) -> Verdict {
        let mut routing = Box::pin(self.router.route(message));
        match routing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(verdict) => verdict,
            Poll::Pending => panic!("the message is still under way"),
        }
    }

    /// Polls what was spawned until nothing of it moves.
    pub fn run_spawned(&self) {
        for _ in 0..10 {
            let work = std::mem::take(&mut *self.spawned.lock().expect("nobody panicked"));
            for mut work in work {
                if work.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Pending {
                    self.spawned.lock().expect("nobody panicked").push(work);
                }
            }
        }
    }

    /// Everything spawned so far.
    pub fn take_spawned(&self) -> Vec<BoxFuture> {
        std::mem::take(&mut *self.spawned.lock().expect("nobody panicked"))
    }
}

pub fn plan(extensions: &str) -> Arc<Plan> {
    let text = format!(
        "<document><section name=\"chatplan\"><context name=\"default\">{extensions}</context></section></document>"
    );
    let (plan, diagnostics) = Plan::parse(&text, "chatplan.xml");
    assert!(!diagnostics.has_errors(), "{diagnostics}");
    Arc::new(plan.expect("the plan can be read"))
}

/// An extension that matches every message.
pub fn every(actions: &str) -> String {
    format!(
        "<extension name=\"e\"><condition field=\"to\" expression=\".*\">{actions}</condition></extension>"
    )
}

/// A message from 1004 that says `hello`.
pub fn message(to: &str) -> Event {
    let mut event = Event::new(EventName::Message);
    let to_full = format!("{to}@chat.test");
    let headers = [
        ("proto", "sip"),
        ("from", "1004@chat.test"),
        ("from_user", "1004"),
        ("to", to_full.as_str()),
        ("to_user", to),
        ("type", "text/plain"),
        ("dest_proto", "sip"),
    ];
    headers.into_iter().for_each(|(name, value)| event.add(name, value));
    event.set_body(Some("hello".into()));
    event
}

/// The plan of `/other.xml`, read at the second look.
struct Other;

impl AltPlans for Other {
    fn open(&self, path: &str) -> Opening {
        let found =
            (path == "/other.xml").then(|| plan(&every("<action application=\"reply\" data=\"other\"/>")));
        let mut read = false;
        Box::pin(poll_fn(move |_| match std::mem::replace(&mut read, true) {
            false => Poll::Pending,
            true => Poll::Ready(found.clone()),
        }))
    }
}

/// Answers as the recipient's name says: `busy`, `nobody`, `silent`, `overloaded`, `slow`; everybody else takes it.
#[derive(Default)]
pub struct Sip {
    sent: Mutex<Vec<String>>,
    answered: Mutex<bool>,
}

impl Sip {
    /// What was sent so far, as `TO: BODY`.
    pub fn sent(&self) -> Vec<String> {
        self.sent.lock().expect("nobody panicked").clone()
    }

    /// The slow ones answer.
    pub fn answer(&self) {
        *self.answered.lock().expect("nobody panicked") = true;
    }
}

impl ChatInterface for Sip {
    fn name(&self) -> &str {
        "sip"
    }

    fn module(&self) -> &str {
        "mod_sofia"
    }

    fn may_reach(&self, recipient: &str) -> bool {
        !recipient.starts_with("nobody@")
    }

    fn send<'a>(&'a self, message: &'a mut Event) -> Sent<'a> {
        let to = message.get("to").unwrap_or_default().split('@').next().unwrap_or_default();
        self.sent.lock().expect("nobody panicked").push(format!("{to}: {}", message.body_text()));
        let device = Some(format!("sip:{to}@192.0.2.1"));
        Sent::Now(match to {
            "busy" => Delivery::Refused { code: 486, reason: "Busy Here".into(), device },
            "nobody" => Delivery::NobodyRegistered,
            "silent" => Delivery::NoAnswer,
            "overloaded" => Delivery::Overloaded { retry_after_secs: 5 },
            "broken" => Delivery::Failed("there is no profile".into()),
            "slow" => {
                return Sent::Later(Box::pin(poll_fn(move |_| {
                    match *self.answered.lock().expect("nobody panicked") {
                        true => Poll::Ready(Delivery::Delivered { code: 200, device: device.clone() }.into()),
                        false => Poll::Pending,
                    }
                })));
            }
            _ => Delivery::Delivered { code: 200, device },
        })
    }
}

/// Keeps the messages' events and the reports.
#[derive(Default)]
pub struct Seen(Mutex<Vec<Arc<Event>>>);

impl Seen {
    pub fn of(&self, name: EventName) -> Vec<Arc<Event>> {
        let all = self.0.lock().expect("nobody panicked");
        all.iter().filter(|event| event.name() == name).cloned().collect()
    }

    /// The reports so far, as `STATUS CODE DEVICE`.
    pub fn reports(&self) -> Vec<String> {
        let of_report = |event: &Arc<Event>| {
            let header = |name| event.get(name).unwrap_or("-");
            format!("{} {} {}", header("Status"), header("Delivery-Result-Code"), header("Delivery-Device"))
        };
        let reports = self.of(EventName::Custom);
        reports
            .iter()
            .filter(|event| event.subclass() == Some("SMS::DELIVERY_REPORT"))
            .map(of_report)
            .collect()
    }
}

impl Subscriber for Seen {
    fn wants(&self, name: EventName, _subclass: Option<&str>) -> bool {
        matches!(name, EventName::Message | EventName::Custom)
    }

    fn deliver(&self, event: &Arc<Event>) {
        self.0.lock().expect("nobody panicked").push(event.clone());
    }
}
