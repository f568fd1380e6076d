//! The API commands of a script language: `lua` and `luarun`, for instance.

use std::sync::Arc;

use chappe_api::{Answer, Call, Command, Row};
use chappe_event::{Event, EventName, header};
use tokio::sync::oneshot;

use crate::{Engine, Handle, Job, Patience, Run, World};

/// Runs a script and answers what it writes to `stream`. FreeSWITCH mod_lua.cpp `lua_api_function`.
pub struct ApiCommand {
    row: &'static Row,
    world: Arc<World>,
    engine: Arc<dyn Engine>,
}

impl ApiCommand {
    pub fn new(row: &'static Row, world: Arc<World>, engine: Arc<dyn Engine>) -> Self {
        Self { row, world, engine }
    }
}

impl Command for ApiCommand {
    fn row(&self) -> &Row {
        self.row
    }

    fn run(&self, call: Call<'_>) -> Answer {
        if call.args.is_empty() {
            return "".into();
        }
        let env = environment(self.row.name, call.args);
        let run = Run::new(self.world.clone()).with_event(Handle::ENV, env).with_stream();
        let (done, finished) = oneshot::channel();
        let line = call.args.to_owned();
        let name = self.row.name;
        let job = Job { line: line.clone(), run, patience: Patience::Limited, done };
        if let Err(refused) = self.engine.clone().start(job) {
            tracing::error!("failed to run {name} {line}: {refused}");
            return format!("-ERR {refused}\n").into();
        }
        Answer::Later(Box::pin(async move {
            let Ok(finished) = finished.await else { return CANNOT.to_owned() };
            let mut text = String::from_utf8_lossy(&finished.harvest.written).into_owned();
            if let Err(error) = finished.outcome {
                tracing::error!("{error}");
                text.push_str(CANNOT);
            }
            text
        }))
    }
}

/// FreeSWITCH's words.
const CANNOT: &str = "-ERR Cannot execute script\n";

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
}

impl RunCommand {
    pub fn new(row: &'static Row, world: Arc<World>, engine: Arc<dyn Engine>) -> Self {
        Self { row, world, engine }
    }
}

impl Command for RunCommand {
    fn row(&self) -> &Row {
        self.row
    }

    fn run(&self, call: Call<'_>) -> Answer {
        if call.args.is_empty() {
            return "-ERR no args specified!\n".into();
        }
        match in_background(&self.engine, Run::new(self.world.clone()), call.args) {
            Ok(()) => "+OK\n".into(),
            Err(refused) => format!("-ERR {refused}\n").into(),
        }
    }
}

/// Starts a script that nobody waits for; its error goes to the log.
pub(crate) fn in_background(engine: &Arc<dyn Engine>, run: Run, line: &str) -> Result<(), crate::Refused> {
    let (done, finished) = oneshot::channel();
    let world = run.world().clone();
    engine.clone().start(Job { line: line.to_owned(), run, patience: Patience::Endless, done })?;
    world.runtime().spawn(async move {
        if let Ok(crate::Finished { outcome: Err(error), .. }) = finished.await {
            tracing::error!("{error}");
        }
    });
    Ok(())
}
