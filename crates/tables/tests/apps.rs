//! The apps in a chatplan: what they keep, and what they refuse.

use std::sync::Arc;

use chappe_api::Registry;
use chappe_chat::{NoAltPlans, Quirks, Router, RouterDeps};
use chappe_chatplan::Plan;
use chappe_event::{Bus, Clock, Event, EventName, Globals, ManualClock, Subscriber, header};
use chappe_tables::{DB_MODULE, DPTOOLS_MODULE, HASH_MODULE, Tables};
use parking_lot::Mutex;
use tempfile::TempDir;

const NOON: i64 = 1_767_268_800;

struct World {
    clock: Arc<ManualClock>,
    router: Arc<Router>,
    registry: Arc<Registry>,
    bus: Arc<Bus>,
    _folder: TempDir,
}

/// A router whose chatplan runs these actions on every message, and then stops.
fn world(actions: &[(&str, &str)]) -> World {
    let clock = Arc::new(ManualClock::at(NOON * 1_000_000));
    let bus = Arc::new(Bus::new(Arc::default(), clock.clone()));
    let registry = Arc::new(Registry::new());
    let router = Router::new(RouterDeps {
        bus: bus.clone(),
        registry: registry.clone(),
        globals: Arc::new(Globals::new()),
        clock: clock.clone(),
        spawn: Arc::new(|_| panic!("nothing is left to be done")),
        alt_plans: Arc::new(NoAltPlans),
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tables = Tables::new(clock.clone() as Arc<dyn Clock>, bus.clone(), "here");
    tables.open_hash();
    tables.open_db(folder.path()).expect("a database");
    for module in [HASH_MODULE, DB_MODULE, DPTOOLS_MODULE] {
        tables.register(module, &router, &registry);
    }
    let actions: String = actions
        .iter()
        .map(|(app, data)| format!("<action application=\"{app}\" data=\"{data}\"/>"))
        .collect();
    let text = format!(
        "<document><section name=\"chatplan\"><context name=\"default\"><extension name=\"all\">\
         <condition>{actions}<action application=\"stop\"/></condition></extension></context></section></document>"
    );
    let (document, mut diagnostics) = chappe_config::parse_fragment(&text, "plan.xml");
    let plan = Plan::compile(&document, &mut diagnostics);
    assert!(diagnostics.is_empty(), "{diagnostics}");
    router.set_plan(Some(Arc::new(plan)));
    World { clock, router, registry, bus, _folder: folder }
}

impl World {
    /// A message's final answer and the seconds after which to try again.
    async fn send(&self) -> (u16, Option<u32>) {
        let mut message = Event::new(EventName::Message);
        message.add(header::DEST_PROTO, "sip");
        message.add(header::PROTO, "sip");
        message.add(header::CONTEXT, "default");
        message.add("from_user", "1000");
        let verdict = self.router.route(message).await;
        (verdict.code, verdict.retry_after)
    }

    async fn api(&self, line: &str) -> String {
        self.registry.execute(line, None).text().await
    }

    fn pass(&self, seconds: i64) {
        self.clock.set(self.clock.unix_micros() + seconds * 1_000_000);
    }
}

#[tokio::test]
async fn values_are_kept() {
    let world = world(&[
        ("hash", "insert/seen/${from_user}/yes"),
        ("hash", "insert/gone/x/yes"),
        ("hash", "delete/gone/x"),
        ("db", "insert/seen/${from_user}/on disk"),
        ("db", "insert/gone/x/yes"),
        ("db", "delete/gone/x"),
        ("hash", "nonsense"),
        ("db", "nonsense"),
    ]);
    assert_eq!(world.send().await, (200, None));
    for (line, expected) in [
        ("hash select/seen/1000", "yes"),
        ("hash select/gone/x", ""),
        ("db select/seen/1000", "on disk"),
        ("db exists/gone/x", "false"),
    ] {
        assert_eq!(world.api(line).await, expected, "{line}");
    }
}

#[tokio::test]
async fn a_rate_is_limited() {
    let world = world(&[("limit", "hash inbound ${from_user} 2/60"), ("hash", "insert/passed/on/yes")]);
    assert_eq!(world.send().await, (200, None));
    assert_eq!(world.send().await, (200, None));
    world.pass(20);
    assert_eq!(world.api("hash delete/passed/on").await, "+OK\n");
    assert_eq!(world.send().await, (503, Some(40)));
    assert_eq!(world.api("hash select/passed/on").await, "", "no further action runs");
    world.pass(40);
    assert_eq!(world.send().await, (200, None));
}

/// FreeSWITCH's way of delivering what an action failed for does not go round a limit.
#[tokio::test]
async fn a_limit_holds_with_the_quirks() {
    let world = world(&[("limit", "db inbound all 0")]);
    world.router.set_quirks(Quirks::freeswitch());
    assert_eq!(world.send().await, (503, Some(1)));
}

#[tokio::test]
async fn a_place_is_given_back_when_the_message_is_through() {
    let world = world(&[("limit", "hash way all 1"), ("limit", "hash way all 1"), ("limit", "hash way b")]);
    for _ in 0..3 {
        assert_eq!(
            world.send().await,
            (200, None),
            "a second look by the same message takes no second place"
        );
    }
    assert_eq!(world.api("hash_dump limit").await, "");
}

/// `${slow()}` keeps the first message on its way.
#[tokio::test]
async fn messages_under_way_are_limited() {
    use chappe_api::{Answer, Call, Command, Row};
    struct Slow(tokio::sync::watch::Sender<bool>);
    impl Command for Slow {
        fn row(&self) -> &Row {
            &Row { name: "slow", syntax: "", doc: "waits", module: "test" }
        }
        fn run(&self, _: Call<'_>) -> Answer {
            let mut done = self.0.subscribe();
            Answer::Later(Box::pin(async move {
                let _ = done.wait_for(|done| *done).await;
                String::new()
            }))
        }
    }
    let world = world(&[("limit", "hash way all 1"), ("set", "x=${slow()}")]);
    let slow = Arc::new(Slow(tokio::sync::watch::Sender::new(false)));
    world.registry.add(slow.clone());
    let mut first = std::pin::pin!(world.send());
    let waker = std::task::Waker::noop();
    assert!(first.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    assert_eq!(world.send().await, (503, Some(1)));
    slow.0.send_replace(true);
    assert_eq!(first.await, (200, None));
    assert_eq!(world.send().await, (200, None));
}

#[tokio::test]
async fn wrong_uses() {
    let limits_nothing = world(&[("limit", "hash r")]);
    assert_eq!(limits_nothing.send().await, (200, None));
    let refuses = world(&[("limit", "redis r x 10")]);
    assert_eq!(refuses.send().await, (503, Some(1)));
}

#[tokio::test]
async fn usage_is_announced() {
    #[derive(Default)]
    struct Listener(Mutex<Vec<String>>);
    impl Subscriber for Listener {
        fn wants(&self, name: EventName, subclass: Option<&str>) -> bool {
            name == EventName::Custom && subclass == Some("limit::usage")
        }
        fn deliver(&self, event: &Arc<Event>) {
            let names = ["backend", "realm", "key", "usage", "rate", "max", "ratemax"];
            self.0.lock().push(names.map(|name| event.get(name).unwrap_or("none")).join(" "));
        }
    }
    let world = world(&[("limit", "hash r x 2/60"), ("limit", "hash r y")]);
    let listener = Arc::new(Listener::default());
    world.bus.subscribe(listener.clone());
    world.send().await;
    assert_eq!(*listener.0.lock(), ["hash r x 1 1 2 2", "hash r y 1 0 -1 0"]);
}
