//! What server and worker say while a script runs.

use std::io;
use std::time::Duration;

use super::process::{Gone, Worker};
use super::wire::{self, Order, Said};
use crate::{Handle, HostError, Object, Run, ScriptError, Value};

/// How a run ended.
pub(super) enum Ended {
    /// The worker is ready for the next one.
    Ready(Result<(), ScriptError>),
    /// The worker is of no use any more.
    Broken(ScriptError),
}

/// Runs a script on the worker. `limit` is what the run was given when it started.
pub(super) fn hold(worker: &mut Worker, words: &[Value], run: &mut Run, limit: Option<Duration>) -> Ended {
    let outcome = worker.say(Order::Run, &order(words, run)).and_then(|()| answer(worker, run));
    match outcome {
        Ok(result) => Ended::Ready(result),
        Err(Gone::System(error)) if error.kind() == io::ErrorKind::InvalidInput => {
            Ended::Ready(Err(ScriptError::Script(format!("the message does not fit: {error}"))))
        }
        Err(gone) => Ended::Broken(why(&gone, worker, run, limit)),
    }
}

/// What a script is given: what kind of run this is, the words, and the events with all that is in them.
fn order(words: &[Value], run: &Run) -> Vec<Value> {
    let event = |handle| run.event(handle).map_or(Value::Nil, wire::event);
    let kind = if run.has(Handle::MESSAGE) {
        "chat"
    } else if run.has(Handle::STREAM) {
        "api"
    } else {
        "run"
    };
    let mut values = vec![kind.into(), event(Handle::MESSAGE), event(Handle::ENV), event(Handle::EVENT)];
    values.extend_from_slice(words);
    values
}

/// Answers the script's calls until it has ended.
fn answer(worker: &mut Worker, run: &mut Run) -> Result<Result<(), ScriptError>, Gone> {
    loop {
        let left = run.time_left();
        // A worker that never falls silent is not waited for, and would never be late.
        if left.is_some_and(|left| left.is_zero()) {
            return Err(Gone::Late);
        }
        match worker.hear(left)? {
            Said::Done => return Ok(Ok(())),
            Said::Failed(error) => return Ok(Err(ScriptError::Script(error))),
            Said::Release(handle) => run.release(handle),
            Said::Read(handle) => reply(worker, run.event(handle).map(wire::event))?,
            Said::Call { object, name, args, post: false } => match run.call(object, &name, args) {
                // The script may catch an error, but it has no time left.
                Err(HostError::TimedOut(_)) => return Err(Gone::Late),
                result => reply(worker, result)?,
            },
            Said::Call { object, name, args, post: true } => post(run, object, &name, args),
            Said::Hello(_) | Said::Unfit(_) => return Err(Gone::Wire(wire::WireError::Shape)),
        }
    }
}

fn reply(worker: &mut Worker, result: Result<Value, HostError>) -> Result<(), Gone> {
    let error = match result {
        Ok(value) => match worker.say(Order::Value, &[value]) {
            Err(Gone::System(error)) if error.kind() == io::ErrorKind::InvalidInput => error.to_string(),
            said => return said,
        },
        Err(error) => error.to_string(),
    };
    worker.say(Order::Error, &[error.into()])
}

/// The script does not wait for it, so that an error has nowhere to go but to the log.
fn post(run: &mut Run, object: Object, name: &str, args: Vec<Value>) {
    if let Err(error) = run.call(object, name, args) {
        tracing::error!("failed to do what a script asked: {error}");
    }
}

fn why(gone: &Gone, worker: &Worker, run: &Run, limit: Option<Duration>) -> ScriptError {
    if run.world().is_stopping() {
        return ScriptError::Lost("scripts are being stopped");
    }
    match (gone, limit) {
        (Gone::Late, Some(limit)) => ScriptError::Time(limit),
        (Gone::Ended, _) => {
            tracing::error!("a worker ended in the middle of a script: {}", worker.ended());
            ScriptError::Lost("its worker process ended")
        }
        (gone, _) => {
            tracing::error!("a worker is ended: {gone}");
            ScriptError::Lost("its worker process could not be understood")
        }
    }
}
