//! `system`: runs a command of the machine, where sms.conf's `allow-system` lets it.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use chappe_api::{Answer, Call, Row};
use tokio::process::Command;

use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "system", syntax: "<command>", doc: "Execute a system command", module: "mod_commands" };

/// What is taken of the command's output.
const MOST: usize = 1 << 20;

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    if call.args.is_empty() {
        return Answer::usage(&ROW);
    }
    let settings = server.router.settings();
    if !settings.allow_system {
        return "-ERR system is switched off: set allow-system in sms.conf\n".into();
    }
    let line = call.args.to_owned();
    Answer::Later(Box::pin(execute(line, settings.system_timeout)))
}

/// What the command prints. It is killed when it takes too long.
async fn execute(line: String, patience: Duration) -> String {
    tracing::info!(fs_level = "notice", "Executing command: {line}");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &line]).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(patience, command.output()).await {
        Ok(Ok(output)) => {
            String::from_utf8_lossy(&output.stdout[..output.stdout.len().min(MOST)]).into_owned()
        }
        Ok(Err(error)) => format!("-ERR {error}\n"),
        Err(_) => format!("-ERR no end after {} s\n", patience.as_secs()),
    }
}
