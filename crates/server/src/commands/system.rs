//! `system`: runs a command of the machine, where sms.conf's `allow-system` lets it.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use chappe_api::{Answer, Call, Row};
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "system", syntax: "<command>", doc: "Execute a system command", module: "mod_commands" };

/// What is taken of the command's output.
const MOST: u64 = 1 << 20;

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    if call.args.is_empty() {
        return Answer::usage(&ROW);
    }
    let settings = server.router.settings();
    if !settings.allow_system {
        return "-ERR system is switched off: set allow-system in sms.conf\n".into();
    }
    // A message that asks is on a shard, where no process can be waited for.
    let running = server.runtime.spawn(execute(call.args.to_owned(), settings.system_timeout));
    Answer::Later(Box::pin(async { running.await.unwrap_or_else(|error| format!("-ERR {error}\n")) }))
}

/// What the command prints. It is killed when it takes too long.
async fn execute(line: String, patience: Duration) -> String {
    tracing::info!(fs_level = "notice", "Executing command: {line}");
    match tokio::time::timeout(patience, output(&line)).await {
        Ok(Ok(output)) => String::from_utf8_lossy(&output).into_owned(),
        Ok(Err(error)) => format!("-ERR {error}\n"),
        Err(_) => format!("-ERR no end after {} s\n", patience.as_secs()),
    }
}

/// The first [`MOST`] octets of what the command prints; one that goes on then writes into a closed pipe.
async fn output(line: &str) -> std::io::Result<Vec<u8>> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", line]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.kill_on_drop(true).spawn()?;
    let mut output = Vec::new();
    if let Some(pipe) = child.stdout.take() {
        pipe.take(MOST).read_to_end(&mut output).await?;
    }
    child.wait().await?;
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(line: &str, expected: &str) {
        assert_eq!(execute(line.to_owned(), Duration::from_millis(300)).await, expected, "{line}");
    }

    #[tokio::test]
    async fn what_a_command_prints_is_the_answer() {
        check("printf 'a b'; exit 3", "a b").await;
        check("echo unseen >&2", "").await;
        check("exec sleep 60", "-ERR no end after 0 s\n").await;
        let endless = execute("exec yes".to_owned(), Duration::from_secs(20)).await;
        assert_eq!(endless.len() as u64, MOST);
    }
}
