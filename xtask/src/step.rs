//! A command with a name, run with its output shown, and the table of how all of them ended.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How a step ended.
pub enum Outcome {
    Passed(Duration),
    Failed(String),
    Skipped(String),
}

/// The steps of a task so far, in the order they ran.
#[derive(Default)]
pub struct Summary {
    steps: Vec<(String, Outcome)>,
}

impl Summary {
    /// Runs `command` and notes how it ended. Its standard input is empty, so that nothing waits for a terminal.
    pub fn run(&mut self, name: &str, command: &mut Command) -> bool {
        eprintln!("\n── {name}");
        let started = Instant::now();
        let outcome = match command.current_dir(root()).stdin(Stdio::null()).status() {
            Ok(status) if status.success() => Outcome::Passed(started.elapsed()),
            Ok(status) => Outcome::Failed(status.to_string()),
            Err(error) => Outcome::Failed(format!("{}: {error}", command.get_program().display())),
        };
        let passed = matches!(outcome, Outcome::Passed(_));
        self.steps.push((name.to_owned(), outcome));
        passed
    }

    pub fn skip(&mut self, name: &str, why: impl Into<String>) {
        self.steps.push((name.to_owned(), Outcome::Skipped(why.into())));
    }

    pub fn fail(&mut self, name: &str, why: impl Into<String>) {
        self.steps.push((name.to_owned(), Outcome::Failed(why.into())));
    }

    /// Prints the table; true when nothing failed.
    pub fn finish(self) -> bool {
        eprintln!("\n── summary");
        for (name, outcome) in &self.steps {
            match outcome {
                Outcome::Passed(took) => eprintln!("  ok       {name} ({:.1} s)", took.as_secs_f32()),
                Outcome::Failed(why) => eprintln!("  FAILED   {name}: {why}"),
                Outcome::Skipped(why) => eprintln!("  skipped  {name}: {why}"),
            }
        }
        let failed = self.steps.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_))).count();
        match failed {
            0 => eprintln!("all passed"),
            1 => eprintln!("1 step failed"),
            _ => eprintln!("{failed} steps failed"),
        }
        failed == 0
    }
}

/// `cargo` as it was called, so that a toolchain chosen with `+name` stays chosen.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Whether `program arguments` runs and succeeds, silently.
pub fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The repository's root.
pub fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(path) => root().join(path),
        None => root().join("target"),
    }
}
