//! `cargo xtask`: what a change has to pass, and the project's other chores.
//!
//! In: a task's name. Out: its commands run one after the other, and one summary. Standard library only, so that it
//! builds in a second and never stands in the way of what it checks.

mod bench;
mod docs;
mod interop;
mod pgo;
mod step;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask TASK

  test             everything a change has to pass: format, clippy, build, tests, documentation tests, licences
  bench [ARGS..]   build for release, then measure relay and reply beside the floor (ARGS go to the load generator);
                   `bench events` measures the event socket's clients instead, `bench idle` idle connections,
                   `bench registrar` a million users, `bench overload` too many messages, `bench store` the disk
  pgo              make the profile that releases are optimised by (pgo/README.md)
  docs             write docs/reference from the tables in the code
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let passed = match arguments.next().as_deref() {
        Some("test") => test::run(),
        Some("bench") => bench::run(arguments.collect()),
        Some("pgo") => pgo::run(),
        Some("docs") => docs::run(),
        _ => {
            eprint!("{USAGE}");
            false
        }
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
