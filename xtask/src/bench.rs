//! `cargo xtask bench`.

use crate::step::{Summary, cargo, target};

/// Builds the server and the load generator for release, then runs the generator against that server.
pub fn run(arguments: Vec<String>) -> bool {
    let mut summary = Summary::default();
    let build = ["build", "--release", "--quiet", "-p", "chappe-server", "-p", "chappe-bench"];
    if summary.run("build", &mut cargo(&build)) {
        let server = target().join("release/chappe");
        let mut bench = cargo(&["run", "--release", "--quiet", "-p", "chappe-bench", "--", "--chappe"]);
        bench.arg(server).args(arguments);
        summary.run("bench", &mut bench);
    }
    summary.finish()
}
