//! JavaScript packages, in the folder `target/interop-node`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::installed;
use crate::step::{Summary, root};

const PACKAGES: [(&str, &str); 6] = [
    ("modesl", "modesl@1.2.1"),
    ("esl", "esl@11.2.1"),
    ("jssip", "jssip@3.13.8"),
    ("sip.js", "sip.js@0.21.2"),
    ("ws", "ws@8.23.0"),
    ("esbuild", "esbuild@0.28.2"),
];

/// The folder with the packages: the one named in `CHAPPE_INTEROP_NODE`, else `target/interop-node`.
pub fn install(summary: &mut Summary, missing: &mut Vec<String>) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHAPPE_INTEROP_NODE") {
        return Some(named.into());
    }
    let folder = root().join("target/interop-node");
    if installed("npm") && !PACKAGES.iter().all(|(name, _)| has(&folder, name)) {
        eprintln!("\n── install JavaScript packages into target/interop-node");
        if !npm(&folder) {
            summary.skip("install JavaScript packages", "npm could not install them");
        }
    }
    for (name, package) in PACKAGES.iter().filter(|(name, _)| !has(&folder, name)) {
        missing.push(format!("{name} is not installed (npm install {package})"));
    }
    folder.exists().then_some(folder)
}

fn npm(folder: &Path) -> bool {
    // Without a file of its own here, npm would install into a folder further up that has one.
    let prepared = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(folder.join("package.json"), "{ \"private\": true }\n"));
    let mut command = Command::new("npm");
    command.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]);
    command.args(PACKAGES.map(|(_, package)| package)).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    prepared.is_ok() && command.status().is_ok_and(|status| status.success())
}

fn has(folder: &Path, package: &str) -> bool {
    folder.join("node_modules").join(package).is_dir()
}
