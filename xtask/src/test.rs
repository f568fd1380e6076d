//! `cargo xtask test`.

use crate::interop;
use crate::step::{Summary, cargo, succeeds};

/// Every check of the project. A step that fails does not keep the later ones from running, except that without a
/// build there is nothing to test.
pub fn run() -> bool {
    let mut summary = Summary::default();
    summary.run("format", &mut cargo(&["fmt", "--all", "--check"]));
    summary.run(
        "clippy",
        &mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]),
    );
    let built = summary.run("build", &mut cargo(&["build", "--workspace", "--all-targets", "--quiet"]));
    if built {
        summary.run("documentation tests", &mut cargo(&["test", "--workspace", "--doc", "--quiet"]));
        let clients = interop::prepare(&mut summary);
        tests(&mut summary, &clients);
    }
    licences(&mut summary);
    summary.finish()
}

/// The golden cases and the real clients are ordinary tests of crates/interop, so this one step runs them too.
fn tests(summary: &mut Summary, clients: &interop::Clients) {
    let mut command = if succeeds("cargo", &["nextest", "--version"]) {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast"])
    } else {
        cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"])
    };
    if let Some(python) = &clients.python {
        command.env("CHAPPE_INTEROP_PYTHON", python);
    }
    if let Some(node) = &clients.node {
        command.env("CHAPPE_INTEROP_NODE", node);
    }
    summary.run("tests", &mut command);
    for missing in &clients.missing {
        summary.skip("interop", missing.as_str());
    }
}

fn licences(summary: &mut Summary) {
    if !succeeds("cargo", &["deny", "--version"]) {
        summary.skip("licences and advisories", "cargo-deny is not installed (cargo install cargo-deny)");
        return;
    }
    let mut check = |name, what: &[&str]| {
        summary.run(name, cargo(&["deny", "--log-level", "error", "check"]).args(what));
    };
    check("licences", &["licenses", "bans", "sources"]);
    // The advisories are a repository on GitHub, which not every machine can reach.
    if succeeds("cargo", &["deny", "fetch", "db"]) {
        check("advisories", &["advisories"]);
    } else {
        summary.skip("advisories", "the advisory database could not be fetched");
    }
}
