//! Which clients this machine has.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program `name` on the PATH, or `None` with a line that says what was skipped.
pub fn find(name: &str) -> Option<PathBuf> {
    let found = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
    });
    if found.is_none() {
        println!("skipped: {name} is not installed");
    }
    found
}

/// A Python that can `import pjsua2`.
pub fn pjsua2_python() -> Option<PathBuf> {
    python_with("pjsua2")
}

/// A Python that has `module`: `$CHAPPE_INTEROP_PYTHON`, the virtual environment under `target/`, or the machine's own.
/// `None` with a line that says what was skipped.
pub fn python_with(module: &str) -> Option<PathBuf> {
    let venv = target().join("interop-venv/bin/python");
    let candidates =
        [std::env::var_os("CHAPPE_INTEROP_PYTHON").map(PathBuf::from), Some(venv), Some("python3".into())];
    let found = candidates.into_iter().flatten().find(|python| imports(python, module));
    if found.is_none() {
        println!("skipped: {module} is not installed");
    }
    found
}

/// The folder whose `node_modules` has `package`: `$CHAPPE_INTEROP_NODE`, or the one under `target/`. `None` with a line
/// that says what was skipped.
pub fn node_modules(package: &str) -> Option<PathBuf> {
    let candidates =
        [std::env::var_os("CHAPPE_INTEROP_NODE").map(PathBuf::from), Some(target().join("interop-node"))];
    let found =
        candidates.into_iter().flatten().find(|folder| folder.join("node_modules").join(package).is_dir());
    if found.is_none() {
        println!("skipped: {package} is not installed");
    }
    found
}

/// The folder below `target/` in which Debian's `package` was unpacked. `None` with a line that says what was skipped.
pub fn unpacked(package: &str) -> Option<PathBuf> {
    let found =
        Some(target().join(format!("interop-{package}"))).filter(|folder| folder.join("usr").is_dir());
    if found.is_none() {
        println!("skipped: {package} is not unpacked");
    }
    found
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

fn imports(python: &Path, module: &str) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", &format!("import {module}")]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
