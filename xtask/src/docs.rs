//! `cargo xtask docs`: the reference pages, written by the server from the tables it works with, and the page of a test that
//! writes what it sees. Tests fail when they differ.

use std::process::{Command, Stdio};

use crate::step::{Summary, cargo, root, target};

const PAGES: [&str; 5] = ["params", "apps", "api", "events", "scripts"];

/// Writes `docs/reference/*.md` and `docs/torture.md`.
pub fn run() -> bool {
    let mut summary = Summary::default();
    if summary.run("build", &mut cargo(&["build", "--quiet", "-p", "chappe-server"])) {
        for page in PAGES {
            match text(page)
                .and_then(|text| std::fs::write(path(page), text).map_err(|error| error.to_string()))
            {
                Ok(()) => eprintln!("wrote {}", path(page).display()),
                Err(why) => summary.fail(page, why),
            }
        }
    }
    let torture = ["test", "--quiet", "-p", "chappe-sip-endpoint", "--test", "torture"];
    summary.run("docs/torture.md", cargo(&torture).env("CHAPPE_DOCS", "write"));
    summary.finish()
}

fn text(page: &str) -> Result<String, String> {
    let chappe = target().join("debug/chappe");
    let output = Command::new(&chappe)
        .args(["reference", page])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: {error}", chappe.display()))?;
    if !output.status.success() {
        return Err(format!("chappe reference {page}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

fn path(page: &str) -> std::path::PathBuf {
    root().join(format!("docs/reference/{page}.md"))
}
