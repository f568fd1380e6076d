//! The app of a script language: `lua`, `python`.

use std::sync::Arc;

use chappe_chat::{App, AppRow, Delivery, Outcome, Ran, Router};
use chappe_event::Event;
use tokio::sync::oneshot;

use crate::engine::RETRY_AFTER_SECS;
use crate::{Engine, Finished, Handle, Job, Patience, Run, ScriptError, World};

/// Runs a script on the message. FreeSWITCH mod_lua.cpp `lua_chat_function`.
pub struct ScriptApp {
    row: AppRow,
    world: Arc<World>,
    engine: Arc<dyn Engine>,
}

impl ScriptApp {
    pub fn new(row: AppRow, world: Arc<World>, engine: Arc<dyn Engine>) -> Self {
        Self { row, world, engine }
    }
}

impl App for ScriptApp {
    fn row(&self) -> &AppRow {
        &self.row
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, message: &'a mut Event, data: Option<&'a str>, _: &'a Arc<Router>) -> Ran<'a> {
        let (done, finished) = oneshot::channel();
        let run = Run::new(self.world.clone()).with_event(Handle::MESSAGE, message.clone());
        let line = data.unwrap_or_default();
        let job = Job { line: line.to_owned(), run, patience: Patience::Limited, done };
        match self.engine.clone().start(job) {
            Ok(()) => Ran::Later(Box::pin(async move { self.end(message, line, finished.await.ok()) })),
            Err(refused) => {
                tracing::error!("failed to run {} {line}: {refused}", self.row.name);
                let retry_after_secs = RETRY_AFTER_SECS;
                Ran::Now(Outcome::Failed(Delivery::Overloaded { retry_after_secs }))
            }
        }
    }
}

impl ScriptApp {
    fn end(&self, message: &mut Event, line: &str, finished: Option<Finished>) -> Outcome {
        let lost = ScriptError::Lost("its thread or process is gone");
        let (mut harvest, outcome) = match finished {
            Some(finished) => (finished.harvest, finished.outcome),
            None => (crate::Harvest::default(), Err(lost)),
        };
        if let Some(changed) = harvest.message.take() {
            *message = changed;
        }
        match outcome {
            Ok(()) => match harvest.sending() {
                Some(sending) => Outcome::Sending(sending),
                None if harvest.dealt => Outcome::Dealt,
                None => Outcome::Continue,
            },
            Err(error) => {
                tracing::error!("{error}");
                Outcome::Failed(Delivery::Failed(format!("{} {line}: {error}", self.row.name)))
            }
        }
    }
}
