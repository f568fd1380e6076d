//! `cargo xtask bench`.

use crate::step::{Summary, cargo, target};

/// Parts that are measured by themselves.
const PARTS: [&str; 4] = ["events", "overload", "registrar", "store"];

/// Builds the server and the load generator for release, then runs the generator against that server. A part of its own,
/// `events` for instance, comes first among the arguments; without any, all that the results show is measured.
pub fn run(arguments: Vec<String>) -> bool {
    let mut summary = Summary::default();
    let build = ["build", "--release", "--quiet", "-p", "chappe-server", "-p", "chappe-bench"];
    if summary.run("build", &mut cargo(&build)) {
        let server = target().join("release/chappe");
        let mut bench = cargo(&["run", "--release", "--quiet", "-p", "chappe-bench", "--"]);
        let part = arguments.first().map(String::as_str);
        let words = usize::from(part.is_some_and(|part| PARTS.contains(&part)));
        bench.args(&arguments[..words]);
        // The disk is measured without a server.
        if part != Some("store") {
            bench.arg("--chappe").arg(server);
        }
        if arguments.is_empty() {
            bench.args(["--results", "bench/results"]);
        }
        bench.args(&arguments[words..]);
        summary.run("bench", &mut bench);
    }
    summary.finish()
}
