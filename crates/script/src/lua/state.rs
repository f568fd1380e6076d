//! One Lua state: made once, used for many runs.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use mlua::{Function, Lua, LuaOptions, StdLib, Table};

use super::binding::{self, Current};
use super::chunks::{ChunkError, Chunks};
use super::guard::Guard;
use super::line::Line;
use super::{LuaConfig, convert, pattern, traceback};
use crate::{Handle, Harvest, HostError, Run, ScriptError, World};

/// What makes each run's environment.
const PRELUDE: &str = include_str!("prelude.lua");

pub(super) struct State {
    lua: Lua,
    /// Takes out of the environment what a run left there.
    clear: Function,
    /// The environment can't be cleared any more.
    spent: Rc<Cell<bool>>,
    chunks: Rc<RefCell<Chunks>>,
    guard: Guard,
    config: Arc<LuaConfig>,
}

impl State {
    pub(super) fn new(config: Arc<LuaConfig>, world: &Arc<World>) -> mlua::Result<Self> {
        let lua = Lua::new_with(StdLib::ALL_SAFE, LuaOptions::default())?;
        let guard = Guard::install(&lua, world.clone())?;
        let chunks = Rc::new(RefCell::new(Chunks::default()));
        let spent = Rc::new(Cell::new(false));
        let host = host(&lua, &config, world, &chunks, &guard)?;
        let spend = spent.clone();
        host.set(
            "spend",
            lua.create_function(move |_, ()| {
                spend.set(true);
                Ok(())
            })?,
        )?;
        let (env, clear) = lua.load(PRELUDE).set_name("=prelude").call::<(Table, Function)>(host)?;
        lua.set_globals(env)?;
        lua.set_memory_limit(config.memory_limit)?;
        Ok(Self { lua, clear, spent, chunks, guard, config })
    }

    /// Runs a script to its end. The second answer is whether the state can be used again.
    pub(super) fn run(
        &self,
        line: &str,
        mut run: Run,
        limit: Option<Duration>,
    ) -> (Harvest, Result<(), ScriptError>) {
        run.start(limit);
        self.guard.begin(run.until());
        self.lua.set_app_data(Current::new(run));
        let outcome = self.execute(line);
        self.clear();
        let current = self.lua.remove_app_data::<Current>();
        let stopped = current.as_ref().and_then(|current| current.run.check().err());
        let outcome = outcome.map_err(|error| self.told(error, stopped));
        (current.map(|current| current.run.finish()).unwrap_or_default(), outcome)
    }

    /// Whether the last run left the state fit for another.
    pub(super) fn is_fit(&self, outcome: &Result<(), ScriptError>) -> bool {
        !self.spent.get()
            && !self.guard.is_over()
            && !matches!(outcome, Err(ScriptError::Memory(_) | ScriptError::Time(_)))
    }

    fn execute(&self, line: &str) -> Result<(), Failure> {
        let line = Line::parse(line).ok_or(Failure::Nothing)?;
        let globals = self.lua.globals();
        let mut chunks = self.chunks.borrow_mut();
        let chunk = match &line {
            Line::Code(code) => chunks.code(&self.lua, code)?,
            Line::File { name, args } => {
                globals.raw_set("argv", argv(&self.lua, name, args)?)?;
                chunks.file(&self.lua, &self.path(name))?
            }
        };
        drop(chunks);
        self.give(&globals)?;
        Ok(chunk.call::<()>(())?)
    }

    /// Nothing of the run is left for the next one.
    fn clear(&self) {
        if self.guard.is_over() || self.clear.call::<()>(()).is_err() {
            self.spent.set(true);
        }
    }

    /// FreeSWITCH switch_utils.c `switch_is_file_path`.
    fn path(&self, name: &str) -> PathBuf {
        self.config.script_dir.join(name)
    }

    /// The objects that the run was given.
    fn give(&self, globals: &Table) -> mlua::Result<()> {
        const GIVEN: [(&str, Handle); 4] = [
            ("message", Handle::MESSAGE),
            ("stream", Handle::STREAM),
            ("env", Handle::ENV),
            ("event", Handle::EVENT),
        ];
        let Some(current) = self.lua.app_data_ref::<Current>() else { return Ok(()) };
        for (name, handle) in GIVEN.into_iter().filter(|(_, handle)| current.run.has(*handle)) {
            globals.raw_set(name, convert::into_lua(&self.lua, handle.into(), &current.freed)?)?;
        }
        Ok(())
    }

    fn told(&self, error: Failure, stopped: Option<HostError>) -> ScriptError {
        match (error, stopped) {
            (Failure::Nothing, _) => ScriptError::Nothing,
            (_, Some(HostError::TimedOut(limit))) => ScriptError::Time(limit),
            (_, Some(HostError::Stopping)) => ScriptError::Lost("scripts are being stopped"),
            (Failure::Lua(error), _) if traceback::is_memory(&error) => {
                ScriptError::Memory(self.config.memory_limit)
            }
            (Failure::Lua(error), _) => ScriptError::Script(traceback::text(&error)),
            (Failure::File(why), _) => ScriptError::Script(why),
        }
    }
}

/// Why a script did not come to its end.
enum Failure {
    Nothing,
    File(String),
    Lua(mlua::Error),
}

impl From<mlua::Error> for Failure {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

impl From<ChunkError> for Failure {
    fn from(error: ChunkError) -> Self {
        match error {
            ChunkError::Lua(error) => Self::Lua(error),
            other => Self::File(other.to_string()),
        }
    }
}

fn argv(lua: &Lua, name: &str, args: &[String]) -> mlua::Result<Table> {
    let argv = lua.create_table_with_capacity(args.len(), 1)?;
    argv.raw_set(0, name)?;
    for (at, arg) in args.iter().enumerate() {
        argv.raw_set(at + 1, arg.as_str())?;
    }
    Ok(argv)
}

/// What the prelude is made with.
fn host(
    lua: &Lua,
    config: &Arc<LuaConfig>,
    world: &Arc<World>,
    chunks: &Rc<RefCell<Chunks>>,
    guard: &Guard,
) -> mlua::Result<Table> {
    let host = lua.create_table()?;
    host.set("freeswitch", binding::freeswitch(lua)?)?;
    host.set("path", search_path(config))?;
    host.set("cpath", config.cpath.as_str())?;
    host.set(
        "log",
        lua.create_function(|_, text: mlua::LuaString| {
            tracing::info!("{}", text.to_string_lossy());
            Ok(())
        })?,
    )?;
    let router = world.router().clone();
    host.set("may_run", lua.create_function(move |_, ()| Ok(router.settings().allow_system))?)?;
    host.set(
        "words",
        lua.create_function(|_, error: mlua::Value| {
            Ok(match &error {
                mlua::Value::Error(error) => traceback::words(error),
                other => other.to_string()?,
            })
        })?,
    )?;
    host.set(
        "traceback",
        lua.create_function(|lua, (text, level): (Option<String>, Option<usize>)| {
            lua.traceback(text.as_deref(), level.unwrap_or(1))
        })?,
    )?;
    let chunks = chunks.clone();
    host.set(
        "chunk",
        lua.create_function(move |lua, path: String| {
            let chunk = chunks.borrow_mut().file(lua, Path::new(&path));
            chunk.map_err(|error| match error {
                ChunkError::Lua(error) => error,
                other => mlua::Error::runtime(other),
            })
        })?,
    )?;
    host.set("where", lua.create_function(place)?)?;
    pattern::add(lua, &host, guard, config.memory_limit)?;
    Ok(host)
}

/// The file and line of a function further up, for `debug.getinfo`.
fn place(lua: &Lua, level: usize) -> mlua::Result<(Option<String>, Option<usize>)> {
    let place = lua.inspect_stack(level, |debug| {
        let source = debug.source().short_src.map(|source| source.into_owned());
        (Some(source.unwrap_or_default()), debug.current_line())
    });
    Ok(place.unwrap_or_default())
}

/// What is configured, then the environment's, the scripts' own folder, and Lua's own.
fn search_path(config: &LuaConfig) -> String {
    let folder = config.script_dir.display();
    let own = format!("{folder}/?.lua;{folder}/?/init.lua");
    let machine = "/usr/local/share/lua/5.4/?.lua;/usr/local/share/lua/5.4/?/init.lua;\
                   /usr/share/lua/5.4/?.lua;/usr/share/lua/5.4/?/init.lua;./?.lua";
    let environment = std::env::var("LUA_PATH").unwrap_or_default();
    let parts = [config.path.as_str(), environment.trim_matches(';'), &own, machine];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(";")
}
