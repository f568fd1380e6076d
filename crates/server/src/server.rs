//! The running server: everybody, wired together once.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use chappe_api::Registry;
use chappe_chat::{Router, RouterDeps};
use chappe_config::Bindings;
use chappe_event::{Bus, Clock, EventName, Globals, Identity, LogBus, LogLevel};
use chappe_store::Store;
use chappe_tables::Tables;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use crate::alt_plans::PlanFiles;
use crate::binding_plans::BindingPlans;
use crate::commands::{MAX_BACKGROUND, MAX_LOOKUPS};
use crate::completions::Completions;
use crate::configuration::Configuration;
use crate::idle::IdleCpu;
use crate::logging::{ConsoleSink, LogCap, Stamp};
use crate::modules::Modules;
use crate::presets::Machine;
use crate::scheduler::Scheduler;
use crate::source::Source;
use crate::spawner::Spawner;
use crate::storage;

/// How the server is asked to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Finish what is under way first.
    Gently,
    AtOnce,
}

/// What is there before the configuration is: the log, the clock, the variables.
pub struct Ground {
    pub source: Source,
    pub machine: Machine,
    pub clock: Arc<dyn Clock>,
    pub globals: Arc<Globals>,
    pub log_bus: Arc<LogBus>,
    pub log_cap: LogCap,
    pub console: Arc<ConsoleSink>,
    pub idle: Arc<IdleCpu>,
}

impl Ground {
    /// A log line of this moment, still empty.
    pub fn stamp(&self) -> chappe_event::LogLine {
        Stamp { clock: self.clock.clone(), idle: self.idle.clone() }.line()
    }
}

/// Everybody who takes part.
pub struct Server {
    pub ground: Ground,
    pub identity: Arc<Identity>,
    pub bus: Arc<Bus>,
    pub registry: Arc<Registry>,
    pub router: Arc<Router>,
    /// Who answers for sections of the configuration instead of the files.
    pub bindings: Arc<Bindings>,
    pub runtime: Handle,
    pub spawner: Arc<Spawner>,
    pub modules: Modules,
    pub scheduler: Arc<Scheduler>,
    pub tables: Arc<Tables>,
    /// Where messages wait and registrations survive; `None`: nowhere.
    pub store: Option<Arc<dyn Store>>,
    /// Where that is, as operators read it.
    pub store_place: String,
    pub completions: Completions,
    /// Places for commands of the machine that nobody waits for.
    pub background: Arc<Semaphore>,
    /// Places for names of hosts that are being resolved.
    pub lookups: Arc<Semaphore>,
    pub started: Instant,
    configuration: ArcSwap<Configuration>,
    ending: watch::Sender<Option<Ending>>,
    ready: AtomicBool,
    /// The level `fsctl debug_level` was given; nothing looks at it but that command.
    pub debug_level: AtomicU8,
    changing: Mutex<()>,
}

impl Server {
    /// Wires everybody; nothing listens yet.
    pub fn new(ground: Ground, configuration: Configuration, runtime: Handle) -> Arc<Self> {
        let mut identity = ground.machine.identity();
        if let Some(name) = &configuration.switch.switchname {
            identity.switchname.clone_from(name);
        }
        let identity = Arc::new(identity);
        ground.globals.replace_all(configuration.globals.iter().map(|(name, value)| (name, value)));
        let bus = Arc::new(Bus::new(identity.clone(), ground.clock.clone()));
        let registry = Arc::new(Registry::new());
        registry.announce_on(bus.clone());
        let spawner = Arc::new(Spawner::new(runtime.clone()));
        let spawn = spawner.clone();
        let router = Router::new(RouterDeps {
            bus: bus.clone(),
            registry: registry.clone(),
            globals: ground.globals.clone(),
            clock: ground.clock.clone(),
            spawn: Arc::new(move |work| spawn.spawn(work)),
            alt_plans: Arc::new(PlanFiles::new(runtime.clone())),
        });
        let scheduler = Scheduler::new(registry.clone(), ground.clock.clone(), bus.clone(), runtime.clone());
        let tables = Tables::new(ground.clock.clone(), bus.clone(), &identity.switchname);
        let bindings = Arc::new(Bindings::default());
        let plans = BindingPlans::new(bindings.clone(), bus.clone(), runtime.clone());
        router.set_plan_source(Some(Arc::new(plans)));
        let store = storage::open(&configuration.sms, &ground.globals);
        let store_place = storage::place(&configuration.sms, &ground.globals);
        Arc::new(Self {
            ground,
            identity,
            bus,
            registry,
            router,
            bindings,
            runtime,
            spawner,
            modules: Modules::default(),
            scheduler,
            tables,
            store,
            store_place,
            completions: Completions::default(),
            background: Arc::new(Semaphore::new(MAX_BACKGROUND)),
            lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)),
            started: Instant::now(),
            configuration: ArcSwap::from_pointee(configuration),
            ending: watch::Sender::new(None),
            ready: AtomicBool::new(false),
            debug_level: AtomicU8::new(0),
            changing: Mutex::new(()),
        })
    }

    /// Whoever reloads, loads or unloads takes a turn. It may last long: for blocking code only.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The configuration that runs.
    pub fn configuration(&self) -> Arc<Configuration> {
        self.configuration.load_full()
    }

    pub(crate) fn set_configuration(&self, configuration: Arc<Configuration>) {
        self.configuration.store(configuration);
    }

    /// Whether everything was started and nothing has been asked to end.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire) && self.ending.borrow().is_none()
    }

    /// Everything is loaded: messages are taken from here on.
    pub(crate) fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
        if let Some(endpoint) = self.modules.sofia.endpoint() {
            endpoint.hold(false);
        }
    }

    pub fn is_ending(&self) -> bool {
        self.ending.borrow().is_some()
    }

    /// Asks the server to end. Asking more firmly than before is heard, less firmly is not.
    pub fn end(&self, how: Ending) {
        self.ending.send_if_modified(|ending| {
            let heard = *ending != Some(Ending::AtOnce) && *ending != Some(how);
            if heard {
                *ending = Some(how);
            }
            heard
        });
    }

    pub fn ending(&self) -> watch::Receiver<Option<Ending>> {
        self.ending.subscribe()
    }

    /// The level the console shows from here on.
    pub fn set_console_level(&self, level: LogLevel) {
        self.ground.console.set_level(level);
        self.ground.log_bus.refresh();
    }

    /// The least severe level that is logged at all.
    pub fn set_log_level(&self, level: LogLevel) {
        self.ground.log_cap.set(level);
    }

    /// Fires an event of the server's life.
    pub fn announce(&self, name: EventName, headers: &[(&'static str, &str)]) {
        if !self.bus.wanted(name, None) {
            return;
        }
        let mut event = chappe_event::Event::new(name);
        for (header, value) in headers {
            event.add(*header, value);
        }
        self.bus.fire(event);
    }
}
