//! The API commands of a script language: `lua` and `luarun`, for instance.

use std::sync::Arc;

use chappe_api::{Answer, Call, Command, Row};
use chappe_event::{Event, EventName, header};
use tokio::sync::oneshot;

use crate::{Engine, Handle, Job, Patience, Run, World};

/// FreeSWITCH's words, which are others in each language.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// No script is named.
    pub nothing: &'static str,
    /// The script runs in the background.
    pub started: &'static str,
    /// The script failed; what it wrote before stands before it.
    pub failed: &'static str,
}

/// Runs a script and answers what it writes to `stream`. FreeSWITCH mod_lua.cpp `lua_api_function`.
pub struct ApiCommand {
    row: &'static Row,
    world: Arc<World>,
    engine: Arc<dyn Engine>,
    words: Words,
}

impl ApiCommand {
    pub fn new(row: &'static Row, world: Arc<World>, engine: Arc<dyn Engine>) -> Self {
        let words = Words { nothing: "", started: "", failed: "-ERR Cannot execute script\n" };
        Self { row, world, engine, words }
    }

    /// With other words than mod_lua's.
    #[must_use]
    pub fn saying(self, words: Words) -> Self {
        Self { words, ..self }
    }
}

impl Command for ApiCommand {
    fn row(&self) -> &Row {
        self.row
    }

    fn run(&self, call: Call<'_>) -> Answer {
        if call.args.is_empty() {
            return self.words.nothing.into();
        }
        let env = environment(self.row.name, call.args);
        let run = Run::new(self.world.clone()).with_event(Handle::ENV, env).with_stream();
        let (done, finished) = oneshot::channel();
        let line = call.args.to_owned();
        let (name, failed) = (self.row.name, self.words.failed);
        let job = Job { line: line.clone(), run, patience: Patience::Limited, done };
        if let Err(refused) = self.engine.clone().start(job) {
            tracing::error!("failed to run {name} {line}: {refused}");
            return format!("-ERR {refused}\n").into();
        }
        Answer::Later(Box::pin(async move {
            let Ok(finished) = finished.await else { return failed.to_owned() };
            let mut text = String::from_utf8_lossy(&finished.harvest.written).into_owned();
            if let Err(error) = finished.outcome {
                tracing::error!("{error}");
                text.push_str(failed);
            }
            text
        }))
    }
}

/// What FreeSWITCH switch_loadable_module.c `switch_api_execute` tells a command about the call.
fn environment(name: &str, args: &str) -> Event {
    let mut env = Event::new(EventName::Api);
    env.add(header::API_COMMAND, name);
    env.add(header::API_COMMAND_ARGUMENT, args);
    env
}

/// Starts a script in the background. FreeSWITCH mod_lua.cpp `luarun_api_function`: what becomes of it is a matter of
/// the log.
pub struct RunCommand {
    row: &'static Row,
    world: Arc<World>,
    engine: Arc<dyn Engine>,
    words: Words,
}

impl RunCommand {
    pub fn new(row: &'static Row, world: Arc<World>, engine: Arc<dyn Engine>) -> Self {
        let words = Words { nothing: "-ERR no args specified!\n", started: "+OK\n", failed: "" };
        Self { row, world, engine, words }
    }

    /// With other words than mod_lua's.
    #[must_use]
    pub fn saying(self, words: Words) -> Self {
        Self { words, ..self }
    }
}

impl Command for RunCommand {
    fn row(&self) -> &Row {
        self.row
    }

    fn run(&self, call: Call<'_>) -> Answer {
        if call.args.is_empty() {
            return self.words.nothing.into();
        }
        match in_background(&self.engine, Run::new(self.world.clone()), call.args) {
            Ok(()) => self.words.started.into(),
            Err(refused) => format!("-ERR {refused}\n").into(),
        }
    }
}

/// Starts a script that goes on as long as it likes; its error goes to the log.
pub(crate) fn in_background(engine: &Arc<dyn Engine>, run: Run, line: &str) -> Result<(), crate::Refused> {
    unattended(engine, run, line, Patience::Endless)
}

/// Starts a script that nobody waits for; its error goes to the log.
pub(crate) fn unattended(
    engine: &Arc<dyn Engine>,
    run: Run,
    line: &str,
    patience: Patience,
) -> Result<(), crate::Refused> {
    let (done, finished) = oneshot::channel();
    let world = run.world().clone();
    engine.clone().start(Job { line: line.to_owned(), run, patience, done })?;
    world.runtime().spawn(async move {
        if let Ok(crate::Finished { outcome: Err(error), .. }) = finished.await {
            tracing::error!("{error}");
        }
    });
    Ok(())
}
