//! `cargo xtask bench`.

use crate::interop::apt;
use crate::step::{Summary, cargo, target};

/// Parts that are measured by themselves.
const PARTS: [&str; 5] = ["events", "idle", "overload", "registrar", "store"];

/// What the peer's rows need, and the Debian package that has it: a program, or a module of Kamailio's.
const PEER: [(&str, &str); 3] = [
    ("kamailio", "kamailio"),
    ("app_lua.so", "kamailio-lua-modules"),
    ("db_sqlite.so", "kamailio-sqlite-modules"),
];

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
        if words == 0 || part == Some("overload") {
            peer(&mut summary);
        }
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

/// Installs Kamailio and its modules; says which rows can't be measured without.
fn peer(summary: &mut Summary) {
    apt::install_packages(summary, &PEER, &[]);
    for (what, package) in PEER.iter().filter(|(what, _)| !apt::is_there(what)) {
        summary.skip("rows of Kamailio", format!("{what} is not installed (apt-get install {package})"));
    }
}
