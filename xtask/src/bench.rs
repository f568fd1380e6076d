//! `cargo xtask bench`.

use crate::step::{Summary, cargo, target};

/// Builds the server and the load generator for release, then runs the generator against that server. A part of its own,
/// `events`, comes first among the arguments.
pub fn run(arguments: Vec<String>) -> bool {
    let mut summary = Summary::default();
    let build = ["build", "--release", "--quiet", "-p", "chappe-server", "-p", "chappe-bench"];
    if summary.run("build", &mut cargo(&build)) {
        let server = target().join("release/chappe");
        let mut bench = cargo(&["run", "--release", "--quiet", "-p", "chappe-bench", "--"]);
        let part = usize::from(arguments.first().is_some_and(|first| first == "events"));
        bench.args(&arguments[..part]).arg("--chappe").arg(server).args(&arguments[part..]);
        summary.run("bench", &mut bench);
    }
    summary.finish()
}
