//! Python packages, in the virtual environment `target/interop-venv`.

use std::path::{Path, PathBuf};

use crate::step::{Summary, root, succeeds};

/// What is imported, and what pip is asked for.
const PACKAGES: [(&str, &str); 3] = [
    ("pjsua2", "pjsua2-python==2.15.1.post1"),
    ("greenswitch", "greenswitch==0.0.19"),
    ("genesis", "genesis==2026.10.18"),
];

/// The Python with the packages: the one named in `CHAPPE_INTEROP_PYTHON`, else that of `target/interop-venv`.
pub fn install(summary: &mut Summary, missing: &mut Vec<String>) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHAPPE_INTEROP_PYTHON") {
        return Some(named.into());
    }
    let venv = root().join("target/interop-venv");
    let python = venv.join("bin/python");
    if !PACKAGES.iter().all(|(module, _)| imports(&python, module)) {
        eprintln!("\n── install Python packages into target/interop-venv");
        let made = python.exists()
            || self::python()
                .is_some_and(|program| succeeds(program, &["-m", "venv", &venv.to_string_lossy()]));
        // One by one: what can't be had for this Python keeps no other from being installed.
        let pip = |package| {
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package];
            succeeds(&python.to_string_lossy(), &pip)
        };
        if !made || !PACKAGES.map(|(_, package)| pip(package)).contains(&true) {
            summary.skip("install Python packages", "pip could not install them");
        }
    }
    for (module, package) in PACKAGES.iter().filter(|(module, _)| !imports(&python, module)) {
        missing.push(format!("{module} is not installed (pip install {package})"));
    }
    python.exists().then_some(python)
}

/// A Python that can make a virtual environment; Debian's can't without a package of its own.
pub fn python() -> Option<&'static str> {
    let able = |program: &&str| succeeds(program, &["-c", "import ensurepip, venv"]);
    ["python3", "python3.12", "python3.11"].into_iter().find(able)
}

fn imports(python: &Path, module: &str) -> bool {
    python.exists() && succeeds(&python.to_string_lossy(), &["-c", &format!("import {module}")])
}
