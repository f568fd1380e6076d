//! mod_lua: scripts in Lua, as an app, as API commands, at the start and for events.

use std::sync::{Arc, Mutex, PoisonError};

use chappe_chat::AppRow;
use chappe_event::SubscriberId;
use chappe_script::lua::{Hook, LuaEngine};
use chappe_script::{Engine, ScriptApp, World};

use super::{Module, ModuleError};
use crate::commands;
use crate::configuration::Configuration;
use crate::lua_conf::LuaSettings;
use crate::server::Server;

pub const NAME: &str = "mod_lua";

pub const APP: AppRow = AppRow {
    name: "lua",
    syntax: "<script> [<arguments>]",
    doc: "Run a Lua script on the message; `~` and code instead of a script's name runs the code.",
    takes: false,
    module: NAME,
};

/// Holds the engine while the module is loaded.
#[derive(Default)]
pub struct LuaModule {
    running: Mutex<Option<Running>>,
}

struct Running {
    settings: LuaSettings,
    world: Arc<World>,
    engine: Arc<LuaEngine>,
    hooks: Vec<SubscriberId>,
}

impl LuaModule {
    /// What runs scripts, while the module is loaded.
    pub fn engine(&self) -> Option<(Arc<World>, Arc<dyn Engine>)> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map(|running| (running.world.clone(), running.engine.clone() as Arc<dyn Engine>))
    }

    fn replace(&self, running: Option<Running>) -> Option<Running> {
        std::mem::replace(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner), running)
    }

    fn start(&self, server: &Arc<Server>, settings: &LuaSettings) -> Result<(), ModuleError> {
        let world = World::new(server.router.clone(), server.runtime.clone());
        let engine =
            LuaEngine::start(settings.config.clone(), world.clone()).map_err(ModuleError::Threads)?;
        server.router.add_app(Arc::new(ScriptApp::new(APP, world.clone(), engine.clone())));
        let mut hooks = Vec::new();
        for hook in &settings.hooks {
            let (name, subclass, script) = (hook.event, hook.subclass.clone(), hook.script.clone());
            let hook = Hook::new(engine.clone(), world.clone(), name, subclass, script);
            hooks.push(server.bus.subscribe(Arc::new(hook)));
        }
        for script in &settings.startup {
            if let Err(refused) = engine.background(&world, script) {
                tracing::error!("failed to start {script}: {refused}");
            }
        }
        self.replace(Some(Running { settings: settings.clone(), world, engine, hooks }));
        Ok(())
    }

    /// Ends the scripts that run.
    fn stop(&self, server: &Server) {
        if let Some(running) = self.replace(None) {
            running.hooks.iter().for_each(|hook| server.bus.unsubscribe(*hook));
            running.world.stop();
            running.engine.stop();
        }
    }
}

impl Module for LuaModule {
    fn name(&self) -> &'static str {
        NAME
    }

    fn load(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        self.start(server, &configuration.lua)?;
        commands::register(server, NAME);
        Ok(())
    }

    fn unload(&self, server: &Arc<Server>) {
        server.router.remove_module(NAME);
        server.registry.remove_module(NAME);
        self.stop(server);
    }

    /// What changed is started anew, startup scripts too.
    fn reconfigure(&self, server: &Arc<Server>, configuration: &Configuration) -> Result<(), ModuleError> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let same = running.as_ref().is_none_or(|running| running.settings == configuration.lua);
        drop(running);
        if same {
            return Ok(());
        }
        self.stop(server);
        self.start(server, &configuration.lua)
    }
}
