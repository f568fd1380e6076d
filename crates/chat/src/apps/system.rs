//! `system`: a command of the machine.

use std::future::Future;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use chappe_event::Event;
use tokio::process::Command;
use tokio::sync::oneshot;

use super::MODULE;
use crate::{App, AppRow, Outcome, Ran, Router};

pub(super) struct System;

const ROW: AppRow = AppRow {
    name: "system",
    syntax: "<command>",
    doc: "Run a command of the machine by /bin/sh; sms.conf has to allow it (allow-system).",
    takes: false,
    module: MODULE,
};

impl App for System {
    fn row(&self) -> &AppRow {
        &ROW
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, _message: &'a mut Event, data: Option<&'a str>, router: &'a Arc<Router>) -> Ran<'a> {
        let settings = router.settings();
        if !settings.allow_system {
            tracing::error!("The app system is not allowed; sms.conf's allow-system would allow it");
            return Ran::Now(Outcome::Stop);
        }
        let command = data.unwrap_or_default().to_owned();
        tracing::info!(fs_level = "notice", "Executing command: {command}");
        Ran::Later(Box::pin(run_command(router.clone(), command, settings.system_timeout)))
    }
}

/// Has the command run where processes can be waited for, which the thread that routes the message may not be.
async fn run_command(router: Arc<Router>, command: String, timeout: Duration) -> Outcome {
    let (done, outcome) = oneshot::channel();
    (router.deps.spawn)(Box::pin(async move {
        let ran = succeeds(&command, timeout).await;
        if !ran {
            tracing::info!(fs_level = "notice", "Failed to execute command: {command}");
        }
        // Nobody waits any more when the message is gone.
        let _ = done.send(ran);
    }));
    match outcome.await {
        Ok(true) => Outcome::Continue,
        _ => Outcome::Stop,
    }
}

/// Whether the command could be run to its end in time, whatever it answered; as with FreeSWITCH's `switch_system`.
fn succeeds(command: &str, timeout: Duration) -> impl Future<Output = bool> + use<> {
    let child = Command::new("/bin/sh").args(["-c", command]).stdin(Stdio::null()).kill_on_drop(true).spawn();
    async move {
        match child {
            Ok(mut child) => matches!(tokio::time::timeout(timeout, child.wait()).await, Ok(Ok(_))),
            Err(_) => false,
        }
    }
}
