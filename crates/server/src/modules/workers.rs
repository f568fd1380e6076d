//! The modules of the languages whose scripts run in worker processes.

use std::sync::{Arc, Mutex, PoisonError};

use chappe_api::Row;
use chappe_chat::AppRow;
use chappe_event::SubscriberId;
use chappe_script::lua::Hook;
use chappe_script::worker::{Language, Pool};
use chappe_script::{ApiCommand, RunCommand, ScriptApp, Words, World};

use super::{Module, ModuleError};
use crate::configuration::Configuration;
use crate::server::Server;
use crate::worker_conf::WorkerSettings;

/// What sets the modules apart.
pub struct Kind {
    pub name: &'static str,
    pub language: &'static Language,
    pub app: AppRow,
    /// The API command that answers what a script writes, and the one that runs it in the background.
    pub api: Row,
    pub run: Row,
    pub api_words: Words,
    pub run_words: Words,
    pub settings: fn(&Configuration) -> &WorkerSettings,
}

/// Holds the pool while the module is loaded.
pub struct WorkerModule {
    kind: &'static Kind,
    running: Mutex<Option<Running>>,
}

struct Running {
    settings: WorkerSettings,
    world: Arc<World>,
    pool: Arc<Pool>,
    hooks: Vec<SubscriberId>,
}

impl WorkerModule {
    pub fn new(kind: &'static Kind) -> Self {
        Self { kind, running: Mutex::default() }
    }

    /// Starts a pool, then puts it in the place of the one before.
    fn start(&self, server: &Arc<Server>, settings: &WorkerSettings) -> Result<(), ModuleError> {
        let world = World::new(server.router.clone(), server.runtime.clone());
        let pool = Pool::start(self.kind.language, settings.settings.clone())?;
        self.offer(server, &world, &pool);
        let mut hooks = Vec::new();
        for hook in &settings.hooks {
            let (name, subclass, script) = (hook.event, hook.subclass.clone(), hook.script.clone());
            let hook = Hook::new(pool.clone(), world.clone(), name, subclass, script);
            hooks.push(server.bus.subscribe(Arc::new(hook)));
        }
        for script in &settings.startup {
            if let Err(refused) = pool.background(&world, script) {
                tracing::error!("failed to start {script}: {refused}");
            }
        }
        self.replace(server, Some(Running { settings: settings.clone(), world, pool, hooks }));
        Ok(())
    }

    fn offer(&self, server: &Server, world: &Arc<World>, pool: &Arc<Pool>) {
        let Kind { app, api, run, .. } = self.kind;
        let command = ApiCommand::new(api, world.clone(), pool.clone()).saying(self.kind.api_words);
        server.registry.add(Arc::new(command));
        let command = RunCommand::new(run, world.clone(), pool.clone()).saying(self.kind.run_words);
        server.registry.add(Arc::new(command));
        server.router.add_app(Arc::new(ScriptApp::new(*app, world.clone(), pool.clone())));
    }

    /// Ends the scripts of what ran before.
    fn replace(&self, server: &Server, running: Option<Running>) {
        let before =
            std::mem::replace(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner), running);
        if let Some(before) = before {
            before.hooks.iter().for_each(|hook| server.bus.unsubscribe(*hook));
            before.world.stop();
            before.pool.stop();
        }
    }
}

impl Module for WorkerModule {
    fn name(&self) -> &'static str {
        self.kind.name
    }

    fn load(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        self.start(server, (self.kind.settings)(configuration))
    }

    fn unload(&self, server: &Arc<Server>) {
        server.router.remove_module(self.kind.name);
        server.registry.remove_module(self.kind.name);
        self.replace(server, None);
    }

    /// What changed is started anew, startup scripts too.
    fn reconfigure(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        let settings = (self.kind.settings)(configuration);
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let same = running.as_ref().is_none_or(|running| running.settings == *settings);
        drop(running);
        if same { Ok(()) } else { self.start(server, settings) }
    }
}
