//! A router with a chat interface that remembers, and a pool of workers.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chappe_api::Registry;
use chappe_chat::{ChatInterface, Delivery, NoAltPlans, Router, RouterDeps, Sent};
use chappe_event::{Bus, Clock, Event, EventName, Globals, Identity, ManualClock};
use chappe_script::worker::{Language, Pool, Settings, StartError};
use chappe_script::{Engine, Finished, Handle, Job, Patience, Refused, Run, ScriptError};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

pub struct World {
    pub world: Arc<chappe_script::World>,
    pub router: Arc<Router>,
    pub folder: tempfile::TempDir,
    pub pool: Arc<Pool>,
    sip: Arc<Sip>,
    runtime: Runtime,
}

/// What became of a script.
#[derive(Debug)]
pub struct Ran {
    /// What it wrote to its stream.
    pub written: String,
    pub error: Option<ScriptError>,
    pub message: Event,
}

impl Ran {
    /// A header of the message after a script that ended well.
    pub fn header(&self, name: &str) -> &str {
        assert_eq!(self.error, None);
        self.message.get(name).unwrap_or("")
    }

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
    pub fn new(language: &'static Language) -> Self {
        Self::with(language, |_| ()).expect("the machine has the interpreter")
    }

    /// One worker, unless `change` says otherwise.
    pub fn with(language: &'static Language, change: impl FnOnce(&mut Settings)) -> Result<Self, StartError> {
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
        let mut settings = Settings {
            interpreter: language.interpreter.into(),
            scripts: folder.path().to_owned(),
            workers: 1,
            queue: 100,
            time_limit: Some(Duration::from_secs(30)),
            memory_limit: Some(1 << 30),
            reload_always: false,
        };
        change(&mut settings);
        let world = chappe_script::World::new(router.clone(), runtime.handle().clone());
        let pool = Pool::start(language, settings)?;
        Ok(Self { world, router, folder, pool, sip, runtime })
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("a writable folder");
    }

    /// Runs a line on a message that says `hello`.
    pub fn chat(&self, line: &str) -> Ran {
        self.chat_on(line, message())
    }

    pub fn chat_on(&self, line: &str, message: Event) -> Ran {
        let run = Run::new(self.world.clone()).with_event(Handle::MESSAGE, message);
        self.end(self.begin(line, run).expect("room for a script"))
    }

    /// Runs a line as an API command does.
    pub fn api(&self, line: &str) -> Ran {
        let mut env = Event::new(EventName::Api);
        env.add("API-Command-Argument", line);
        let run = Run::new(self.world.clone()).with_event(Handle::ENV, env).with_stream();
        self.end(self.begin(line, run).expect("room for a script"))
    }

    /// Starts a line on a message and does not wait.
    pub fn chat_begin(&self, line: &str) -> Result<oneshot::Receiver<Finished>, Refused> {
        self.begin(line, Run::new(self.world.clone()).with_event(Handle::MESSAGE, message()))
    }

    pub fn begin(&self, line: &str, run: Run) -> Result<oneshot::Receiver<Finished>, Refused> {
        self.begin_patient(line, run, Patience::Limited)
    }

    pub fn begin_patient(
        &self,
        line: &str,
        run: Run,
        patience: Patience,
    ) -> Result<oneshot::Receiver<Finished>, Refused> {
        let (done, finished) = oneshot::channel();
        self.pool.clone().start(Job { line: line.to_owned(), run, patience, done })?;
        Ok(finished)
    }

    pub fn end(&self, finished: oneshot::Receiver<Finished>) -> Ran {
        let finished = self.runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(60), finished).await.expect("in time").expect("an end")
        });
        Ran {
            written: String::from_utf8_lossy(&finished.harvest.written).into_owned(),
            error: finished.outcome.err(),
            message: finished.harvest.message.unwrap_or_else(|| Event::new(EventName::Message)),
        }
    }

    /// The bodies that were sent, to whom.
    pub fn sent(&self) -> Vec<(String, Bytes)> {
        self.sip.sent.lock().expect("nobody panicked").clone()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.pool.stop();
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
    sent: Mutex<Vec<(String, Bytes)>>,
}

impl ChatInterface for Sip {
    fn name(&self) -> &str {
        "sip"
    }

    fn send<'a>(&'a self, message: &'a mut Event) -> Sent<'a> {
        let to = message.get("to_user").unwrap_or_default().to_owned();
        self.sent.lock().expect("nobody panicked").push((to, message.body().cloned().unwrap_or_default()));
        Sent::Now(Delivery::Delivered { code: 200, device: None })
    }
}
