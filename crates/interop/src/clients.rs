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

/// A Python that can `import pjsua2`: `$CHAPPE_INTEROP_PYTHON`, the virtual environment under `target/`, or the
/// machine's own.
pub fn pjsua2_python() -> Option<PathBuf> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/interop-venv/bin/python");
    let candidates =
        [std::env::var_os("CHAPPE_INTEROP_PYTHON").map(PathBuf::from), Some(venv), Some("python3".into())];
    let found = candidates.into_iter().flatten().find(|python| imports_pjsua2(python));
    if found.is_none() {
        println!("skipped: pjsua2 is not installed");
    }
    found
}

fn imports_pjsua2(python: &Path) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", "import pjsua2"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
