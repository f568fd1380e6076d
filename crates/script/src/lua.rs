//! Lua 5.4 in this process.
//!
//! A bounded number of threads, each with a Lua state, take scripts from a bounded queue. A state is used for many runs,
//! but each run gets an environment of its own: what a script sets, in its globals or in a library's table, is gone
//! when it ends. What a state keeps are compiled chunks, by path, time and size of their files.

mod binding;
mod chunks;
mod convert;
mod guard;
mod line;
mod pattern;
mod pool;
mod state;
mod traceback;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chappe_event::{Event, EventName, Subscriber};

pub use line::Line;
use pool::Pool;

use crate::{Engine, Handle, Job, Patience, Refused, Run, World, command};

/// What lua.conf says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LuaConfig {
    /// Where scripts are looked up that are not named with their whole path.
    pub script_dir: PathBuf,
    /// What `package.path` and `package.cpath` begin with: templates with a `?`, a semicolon between them.
    pub path: String,
    pub cpath: String,
    /// How many scripts run at once.
    pub threads: usize,
    /// How many more may wait.
    pub queue: usize,
    /// How long a script may take that somebody waits for.
    pub time_limit: Duration,
    /// The octets that one script's Lua may need.
    pub memory_limit: usize,
}

impl Default for LuaConfig {
    fn default() -> Self {
        Self {
            script_dir: PathBuf::new(),
            path: String::new(),
            cpath: String::new(),
            threads: 4,
            queue: 1000,
            time_limit: Duration::from_secs(10),
            memory_limit: 64 << 20,
        }
    }
}

/// Runs Lua scripts.
pub struct LuaEngine {
    pool: Pool,
}

impl LuaEngine {
    /// Starts the threads.
    pub fn start(config: LuaConfig, world: Arc<World>) -> std::io::Result<Arc<Self>> {
        Ok(Arc::new(Self { pool: Pool::start(config, world)? }))
    }

    /// No script is begun any more; the threads end with the scripts that run.
    pub fn stop(&self) {
        self.pool.stop();
    }

    /// Runs a script in the background for as long as it likes; its error goes to the log.
    pub fn background(self: &Arc<Self>, world: &Arc<World>, line: &str) -> Result<(), Refused> {
        let engine: Arc<dyn Engine> = self.clone();
        command::in_background(&engine, Run::new(world.clone()), line)
    }
}

impl Engine for LuaEngine {
    fn start(self: Arc<Self>, job: Job) -> Result<(), Refused> {
        self.pool.push(job)
    }
}

/// A script that is run for each event of a name: the `hook` of lua.conf and v8.conf. The event is its global `event`.
pub struct Hook {
    engine: Arc<dyn Engine>,
    world: Arc<World>,
    name: EventName,
    subclass: Option<String>,
    script: String,
}

impl Hook {
    pub fn new(
        engine: Arc<dyn Engine>,
        world: Arc<World>,
        name: EventName,
        subclass: Option<String>,
        script: String,
    ) -> Self {
        Self { engine, world, name, subclass, script }
    }
}

impl Subscriber for Hook {
    fn wants(&self, name: EventName, subclass: Option<&str>) -> bool {
        let by_subclass = match (&self.subclass, subclass) {
            (Some(wanted), Some(subclass)) => wanted == subclass,
            _ => true,
        };
        self.name == EventName::All || (self.name == name && by_subclass)
    }

    /// The event is left out, with a line in the log, when too many scripts wait.
    fn deliver(&self, event: &Arc<Event>) {
        let run = Run::new(self.world.clone()).with_event(Handle::EVENT, Event::clone(event));
        if let Err(refused) = command::unattended(&self.engine, run, &self.script, Patience::Limited) {
            tracing::error!("failed to run the hook {}: {refused}", self.script);
        }
    }
}
