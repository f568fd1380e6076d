//! Programs of the machine, run where sms.conf's `allow-system` lets them be.

use std::process::Stdio;
use std::time::Duration;

use chappe_api::{Answer, separate};
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::server::Server;

/// What is taken of a program's output.
const MOST: u64 = 1 << 20;

/// How many programs nobody waits for may run at once; one more is refused.
pub const MAX_BACKGROUND: usize = 100;

/// The most words that a program and its arguments are.
const MAX_WORDS: usize = 64;

/// What is to be run.
pub(super) struct Program {
    /// As it was asked for, for the log.
    line: String,
    words: Vec<String>,
}

impl Program {
    /// A line for the shell.
    pub(super) fn shell(line: &str) -> Self {
        let words = ["/bin/sh", "-c", line].map(str::to_owned).to_vec();
        Self { line: line.to_owned(), words }
    }

    /// A program and its arguments; `None` when there is not even a program.
    pub(super) fn words(line: &str) -> Option<Self> {
        let words = separate(line, ' ', MAX_WORDS);
        words.first().is_some_and(|word| !word.is_empty()).then(|| Self { line: line.to_owned(), words })
    }
}

const OFF: &str = "-ERR system is switched off: set allow-system in sms.conf\n";

/// Runs a program and answers with what it prints.
pub(super) fn run(server: &Server, program: Program) -> Answer {
    let settings = server.router.settings();
    if !settings.allow_system {
        return OFF.into();
    }
    // A message that asks is on a shard, where no process can be waited for.
    let running = server.runtime.spawn(execute(program, settings.system_timeout));
    Answer::Later(Box::pin(async { running.await.unwrap_or_else(|error| format!("-ERR {error}\n")) }))
}

/// Starts a program; it is killed when it takes longer than sms.conf's `system-timeout`, as every other is.
pub(super) fn start(server: &Server, program: Program) -> Answer {
    let settings = server.router.settings();
    if !settings.allow_system {
        return OFF.into();
    }
    let Ok(place) = server.background.clone().try_acquire_owned() else {
        return format!("-ERR {MAX_BACKGROUND} commands run in the background already\n").into();
    };
    server.runtime.spawn(async move {
        let _place = place;
        execute(program, settings.system_timeout).await;
    });
    "+OK\n".into()
}

/// What the program prints. It is killed when it takes too long.
async fn execute(program: Program, patience: Duration) -> String {
    tracing::info!(fs_level = "notice", "Executing command: {}", program.line);
    match tokio::time::timeout(patience, output(&program)).await {
        Ok(Ok(output)) => String::from_utf8_lossy(&output).into_owned(),
        Ok(Err(error)) => {
            tracing::info!(fs_level = "notice", "Failed to execute command: {}", program.line);
            format!("-ERR {error}\n")
        }
        Err(_) => format!("-ERR no end after {} s\n", patience.as_secs()),
    }
}

/// The first [`MOST`] octets of what the program prints; one that goes on then writes into a closed pipe.
async fn output(program: &Program) -> std::io::Result<Vec<u8>> {
    let [name, arguments @ ..] = program.words.as_slice() else { return Ok(Vec::new()) };
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
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

    async fn check(program: Program, expected: &str) {
        let line = program.line.clone();
        assert_eq!(execute(program, Duration::from_millis(300)).await, expected, "{line}");
    }

    #[tokio::test]
    async fn what_a_command_prints_is_the_answer() {
        check(Program::shell("printf 'a b'; exit 3"), "a b").await;
        check(Program::shell("echo unseen >&2"), "").await;
        check(Program::shell("exec sleep 60"), "-ERR no end after 0 s\n").await;
        let endless = execute(Program::shell("exec yes"), Duration::from_secs(20)).await;
        assert_eq!(endless.len() as u64, MOST);
    }

    #[tokio::test]
    async fn a_program_is_run_without_a_shell() {
        check(Program::words("printf '%s|' 'a b' $HOME").expect("words"), "a b|$HOME|").await;
        check(
            Program::words("/nonexistent/program").expect("words"),
            "-ERR No such file or directory (os error 2)\n",
        )
        .await;
        assert!(Program::words("").is_none());
    }
}
