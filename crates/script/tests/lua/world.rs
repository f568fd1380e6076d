//! A router with a chat interface that remembers, and the Lua engine.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chappe_api::Registry;
use chappe_chat::{ChatInterface, Delivery, NoAltPlans, Router, RouterDeps, Sent};
use chappe_event::{Bus, Clock, Event, EventName, Globals, Identity, ManualClock};
use chappe_script::lua::{LuaConfig, LuaEngine};
use chappe_script::{Engine, Handle, Job, Patience, Run, ScriptError};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

pub struct World {
    pub world: Arc<chappe_script::World>,
    pub engine: Arc<LuaEngine>,
    pub folder: tempfile::TempDir,
    sip: Arc<Sip>,
    runtime: Runtime,
}

/// What became of a script.
#[derive(Debug)]
pub struct Ran {
    /// What the script wrote to `stream`.
    pub written: String,
    pub error: Option<ScriptError>,
    pub message: Option<Event>,
}

impl Ran {
    /// What it wrote; there must be no error.
    pub fn text(self) -> String {
        assert_eq!(self.error, None);
        self.written
    }

    pub fn error(self) -> String {
        self.error.expect("the script fails").to_string()
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(LuaConfig { threads: 1, time_limit: Duration::from_millis(500), ..LuaConfig::default() })
    }

    pub fn with(config: LuaConfig) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(1_795_384_800_000_000));
        let handle = runtime.handle().clone();
        let router = Router::new(RouterDeps {
            bus: Arc::new(Bus::new(Arc::new(Identity::default()), clock.clone())),
            registry: Arc::new(Registry::new()),
            globals: Arc::new(Globals::new()),
            clock,
            spawn: Arc::new(move |work| drop(handle.spawn(work))),
            alt_plans: Arc::new(NoAltPlans),
        });
        chappe_chat::register_commands(&router, router.registry());
        let sip = Arc::new(Sip::default());
        router.add_interface(sip.clone());
        let folder = tempfile::tempdir().expect("a folder");
        let world = chappe_script::World::new(router.clone(), runtime.handle().clone());
        let config = LuaConfig { script_dir: folder.path().to_owned(), ..config };
        let engine = LuaEngine::start(config, world.clone()).expect("threads");
        Self { world, engine, folder, sip, runtime }
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("a writable folder");
    }

    /// Runs a line on a message that says `hello`.
    pub fn run(&self, line: &str) -> Ran {
        self.run_on(line, message())
    }

    /// Runs code; what it writes to `stream` is told.
    pub fn code(&self, code: &str) -> Ran {
        self.run(&format!("~{code}"))
    }

    pub fn run_on(&self, line: &str, message: Event) -> Ran {
        let run = Run::new(self.world.clone()).with_event(Handle::MESSAGE, message).with_stream();
        let (done, finished) = oneshot::channel();
        let job = Job { line: line.to_owned(), run, patience: Patience::Limited, done };
        self.engine.clone().start(job).expect("room in the queue");
        let finished = self.runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(20), finished)
                .await
                .unwrap_or_else(|_| panic!("{line} does not end"))
                .expect("the script is answered for")
        });
        Ran {
            written: String::from_utf8_lossy(&finished.harvest.written).into_owned(),
            error: finished.outcome.err(),
            message: finished.harvest.message,
        }
    }

    /// The bodies that were sent, to whom.
    pub fn sent(&self) -> Vec<String> {
        self.sip.sent.lock().expect("nobody panicked").clone()
    }

    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

pub fn message() -> Event {
    let mut event = Event::new(EventName::Message);
    for (name, value) in [
        ("proto", "sip"),
        ("from", "1004@chat.test"),
        ("from_user", "1004"),
        ("to", "1009@chat.test"),
        ("to_user", "1009"),
        ("type", "text/plain"),
        ("dest_proto", "sip"),
    ] {
        event.add(name, value);
    }
    event.set_body(Some("hello".into()));
    event
}

#[derive(Default)]
struct Sip {
    sent: Mutex<Vec<String>>,
}

impl ChatInterface for Sip {
    fn name(&self) -> &str {
        "sip"
    }

    fn send<'a>(&'a self, message: &'a mut Event) -> Sent<'a> {
        let to = message.get("to_user").unwrap_or_default();
        self.sent.lock().expect("nobody panicked").push(format!("{to}: {}", message.body_text()));
        Sent::Now(Delivery::Delivered { code: 200, device: None })
    }
}
