//! A router with everything around it, and one case at a time.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chappe_api::Registry;
use chappe_chat::{NoAltPlans, Quirks, Router, RouterDeps, Settings};
use chappe_chatplan::Plan;
use chappe_event::{Bus, Clock, Event, EventName, Globals, Identity, ManualClock, Name, Subscriber, header};
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt;

use crate::case::{Case, text};
use crate::fake_sip::FakeSip;
use crate::log::{Lines, is_recorded};

const GLOBALS: [(&str, &str); 4] = [
    ("domain", "chat.test"),
    ("default_password", "1234"),
    ("greeting", "Good day"),
    ("nested", "Good day to you"),
];

/// 2026-11-22 22:00 UTC, the day of the recording.
const NOW: i64 = 1_795_384_800_000_000;

pub struct World {
    router: Arc<Router>,
    bus: Arc<Bus>,
    registry: Arc<Registry>,
    sip: FakeSip,
    events: Arc<Seen>,
    answers: Vec<Value>,
}

impl World {
    pub fn new() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW));
        let bus = Arc::new(Bus::new(Arc::new(Identity::default()), clock.clone()));
        let globals = Arc::new(Globals::default());
        GLOBALS.iter().for_each(|(name, value)| globals.set(name, value));
        let registry = Arc::new(Registry::new());
        let deps = chappe_api::commands::Deps {
            globals: globals.clone(),
            clock: clock.clone(),
            identity: Arc::new(Identity::default()),
            random: Arc::new(|| [7; 16]),
        };
        chappe_api::commands::register(&registry, deps);
        let router = Router::new(RouterDeps {
            bus: bus.clone(),
            registry: registry.clone(),
            globals,
            clock,
            spawn: Arc::new(|work| drop(tokio::spawn(work))),
            alt_plans: Arc::new(NoAltPlans),
        });
        chappe_chat::register_commands(&router, &registry);
        router.configure(Quirks::freeswitch(), Settings { allow_system: true, ..Settings::default() });
        let sip = FakeSip::default();
        router.add_interface(Arc::new(sip.clone()));
        let events = Arc::new(Seen::default());
        bus.subscribe(events.clone());
        Self { router, bus, registry, sip, events, answers: Vec::new() }
    }

    /// Runs a case; the parts in which it differs from what was recorded.
    pub fn run(&mut self, case: &Case<'_>) -> Vec<String> {
        let lines = Lines::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines.clone()), || {
            runtime.block_on(self.play(case));
        });
        if case.crashed() {
            return Vec::new();
        }
        let lines = lines.take().join("\n");
        let trace =
            lines.lines().map(str::trim_end).filter(|line| is_recorded(line)).map(Value::from).collect();
        let mut delivered = self.sip.delivered();
        delivered.sort_by_key(Value::to_string);
        let seen = [
            ("trace", trace),
            ("delivered", delivered),
            ("events", sorted(&self.events.take())),
            ("api", std::mem::take(&mut self.answers)),
        ];
        seen.into_iter().filter_map(|(part, seen)| differs(case, part, seen)).collect()
    }

    async fn play(&mut self, case: &Case<'_>) {
        let mut plan = case.chatplan().to_owned();
        for (name, value) in GLOBALS {
            plan = plan.replace(&format!("$${{{name}}}"), value);
        }
        let plan = plan.replace("$${undefined_global}", "");
        let plan = format!("<document><section name=\"chatplan\">{plan}</section></document>");
        let (plan, _) = Plan::parse(&plan, "default.xml");
        self.router.set_plan(plan.map(Arc::new));
        for step in case.steps() {
            if let Some(message) = step.get("message") {
                self.router.route(from_sip(message)).await;
            } else if let Some(event) = step.get("event") {
                self.bus.fire(from_event_socket(event));
            } else if let Some(line) = step["api"].as_str() {
                self.answers.push(self.registry.execute(line, None).text().await.into());
            }
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
    }
}

fn differs(case: &Case<'_>, part: &str, seen: Vec<Value>) -> Option<String> {
    let mut expected = case.expected(part)?.clone();
    match part {
        "events" => {
            expected.retain(|event| !event["headers"].to_string().contains("\"RECV_MESSAGE\""));
            expected = sorted(&expected);
        }
        "delivered" => expected.sort_by_key(Value::to_string),
        _ => {}
    }
    let show = |values: &[Value]| values.iter().map(|value| format!("    {value}\n")).collect::<String>();
    (expected != seen)
        .then(|| format!("{}: {part}\n  expected\n{}  seen\n{}", case.name(), show(&expected), show(&seen)))
}

/// Events without regard to the order of the headers or of the events.
fn sorted(events: &[Value]) -> Vec<Value> {
    let mut events: Vec<_> = events
        .iter()
        .map(|event| {
            let mut headers: Vec<_> = event["headers"].as_array().into_iter().flatten().cloned().collect();
            headers.sort_by_key(Value::to_string);
            json!([headers, event["body"]])
        })
        .collect();
    events.sort_by_key(Value::to_string);
    events
}

/// The event the SIP endpoint makes of a MESSAGE.
fn from_sip(message: &Value) -> Event {
    let user = text(message, "from");
    let to = text(message, "to");
    let to = to.trim_start_matches("sips:").trim_start_matches("sip:").split(';').next().unwrap_or_default();
    let (to_user, to_host) = to.split_once('@').expect("a user and a host");
    let to_host = to_host.split(':').next().unwrap_or_default();
    let to_user = to_user.replace("%30", "0");
    let from = match text(message, "from_uri").strip_prefix("sip:") {
        Some(from) => from.to_owned(),
        None => format!("{user}@chat.test"),
    };
    let (from_user, from_host) = from.split_once('@').expect("a user and a host");
    let (proto, address) = match to_user.split_once('+') {
        Some((proto, rest)) if !proto.is_empty() => (proto, rest.replacen('+', "@", 1)),
        _ => ("sip", format!("{to_user}@{to_host}")),
    };
    let mut event = Event::new(EventName::Message);
    event.add(header::PROTO, "sip");
    event.add(header::TO_PROTO, proto);
    event.add(header::FROM, &from);
    event.add(header::FROM_USER, from_user);
    event.add(header::FROM_HOST, from_host);
    event.add(header::TO_USER, &to_user);
    event.add(header::TO_HOST, to_host);
    event.add(header::TO, address);
    event.add(header::SUBJECT, "SIMPLE MESSAGE");
    event.add(header::CONTEXT, "default");
    let content_type = message["content_type"].as_str().unwrap_or("text/plain");
    event.add(header::TYPE, content_type.split(';').next().unwrap_or_default());
    event.add(header::FROM_FULL, format!("<sip:{from}>;tag=*"));
    event.add(header::SIP_PROFILE, "internal");
    message["headers"].as_array().into_iter().flatten().for_each(|pair| add_sip_header(&mut event, pair));
    event.add(header::DEST_PROTO, proto);
    let body = text(message, "body");
    if !body.is_empty() {
        event.set_body(Some(Bytes::copy_from_slice(body.as_bytes())));
    }
    event
}

fn add_sip_header(event: &mut Event, pair: &Value) {
    let (name, value) = (pair[0].as_str().unwrap_or_default(), pair[1].as_str().unwrap_or_default());
    let name = match name.to_ascii_lowercase().as_str() {
        "call-info" => header::SIP_CALL_INFO.to_owned(),
        "geolocation" => header::SIP_GEOLOCATION.to_owned(),
        "history-info" => {
            let before =
                event.get(header::SIP_HISTORY_INFO).map(|before| format!("{before}, ")).unwrap_or_default();
            return event.add(header::SIP_HISTORY_INFO, format!("{before}{value}"));
        }
        kept if ["x-", "p-", "user-to-user", "diversion"].iter().any(|start| kept.starts_with(start)) => {
            let plain = format!("sip_h_{name}");
            if event.get(&plain).is_some() { format!("{plain}-1") } else { plain }
        }
        _ => return,
    };
    event.add(&name, value);
}

/// The event that the event socket makes of `sendevent CUSTOM`.
fn from_event_socket(sent: &Value) -> Event {
    let pairs = sent["headers"].as_array().expect("headers");
    let pair = |pair: &Value| {
        (pair[0].as_str().expect("a name").to_owned(), pair[1].as_str().expect("a value").to_owned())
    };
    let subclass =
        pairs.iter().map(pair).find(|(name, _)| name == header::EVENT_SUBCLASS).expect("a subclass").1;
    let mut event = Event::custom(&subclass);
    event.add(header::COMMAND, format!("sendevent {}", text(sent, "name")));
    for (name, value) in pairs.iter().map(pair).filter(|(name, _)| name != header::EVENT_SUBCLASS) {
        event.add(Name::copied(&name), value);
    }
    if let Some(body) = sent["body"].as_str() {
        event.add_display(header::CONTENT_LENGTH, body.len());
        event.set_body(Some(Bytes::copy_from_slice(body.as_bytes())));
    }
    event
}

/// Keeps the events that were recorded.
#[derive(Default)]
struct Seen(Mutex<Vec<Value>>);

impl Seen {
    fn take(&self) -> Vec<Value> {
        std::mem::take(&mut self.0.lock().expect("nobody panicked"))
    }
}

impl Subscriber for Seen {
    fn wants(&self, name: EventName, _subclass: Option<&str>) -> bool {
        matches!(name, EventName::Message | EventName::Custom)
    }

    fn deliver(&self, event: &Arc<Event>) {
        const VOLATILE: [&str; 7] = [
            "Core-UUID",
            "FreeSWITCH-",
            "Event-Date-",
            "Event-Calling-",
            "Event-Sequence",
            "Event-UUID",
            "to_sip_",
        ];
        let mut headers: Vec<_> = event
            .headers()
            .map(|(name, value)| (name.to_owned(), value.as_str().to_owned()))
            .filter(|(name, _)| !VOLATILE.iter().any(|start| name.starts_with(start)))
            .collect();
        let body = event.body_text();
        if !body.is_empty() {
            headers.push((header::CONTENT_LENGTH.to_owned(), body.len().to_string()));
        }
        self.0.lock().expect("nobody panicked").push(json!({ "headers": headers, "body": body }));
    }
}
