//! The real SIP clients that crates/interop talks to: installed when this machine lets us, named when it does not.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::step::{Summary, root, succeeds};

/// A program the interop tests start, and the Debian package that has it.
const PROGRAMS: [(&str, &str); 6] = [
    ("sipsak", "sipsak"),
    ("sipp", "sip-tester"),
    ("linphonecsh", "linphone-cli"),
    ("baresip", "baresip-core"),
    ("ip", "iproute2"),
    ("erl", "erlang-base"),
];

/// What the interop tests will find.
#[derive(Default)]
pub struct Clients {
    /// The Python that can `import pjsua2`.
    pub python: Option<PathBuf>,
    /// One line a client that is not there: its tests pass without having run.
    pub missing: Vec<String>,
}

pub fn prepare(summary: &mut Summary) -> Clients {
    install_programs(summary);
    let mut clients = Clients { python: pjsua2(summary), missing: Vec::new() };
    for (program, package) in PROGRAMS {
        if !installed(program) {
            clients.missing.push(format!("{program} is not installed (apt-get install {package})"));
        }
    }
    if clients.python.is_none() {
        clients.missing.push("pjsua2 is not installed (pip install pjsua2-python)".to_owned());
    }
    clients
}

fn install_programs(summary: &mut Summary) {
    let mut missing: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !installed(program)).map(|(_, package)| *package).collect();
    if python().is_none() {
        missing.push("python3-venv");
    }
    if missing.is_empty() || !installed("apt-get") || !succeeds("sh", &["-c", "test \"$(id -u)\" = 0"]) {
        return;
    }
    eprintln!("\n── install {}", missing.join(" "));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(["-q", "-y", "-o", "DPkg::Lock::Timeout=120"]).args(arguments);
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(std::process::Stdio::null());
        command.stdout(std::process::Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let install = [&["install", "--no-install-recommends"][..], &missing].concat();
    // The package lists of a fresh container are empty or old.
    let complete = apt(&install) || (apt(&["update"]) && apt(&install));
    if !complete {
        summary.skip("install SIP clients", "apt-get could not install all of them");
    }
}

/// A Python with pjsua2: the one named in `CHAPPE_INTEROP_PYTHON`, else that of `target/interop-venv`.
fn pjsua2(summary: &mut Summary) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHAPPE_INTEROP_PYTHON") {
        return Some(named.into());
    }
    let venv = root().join("target/interop-venv");
    let python = venv.join("bin/python");
    if has_pjsua2(&python) {
        return Some(python);
    }
    eprintln!("\n── install pjsua2-python into target/interop-venv");
    let made = python.exists()
        || self::python().is_some_and(|program| succeeds(program, &["-m", "venv", &venv.to_string_lossy()]));
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pjsua2-python"];
    if made && succeeds(&python.to_string_lossy(), &pip) && has_pjsua2(&python) {
        return Some(python);
    }
    summary.skip("install pjsua2-python", "pip could not install it");
    None
}

/// A Python that can make a virtual environment; Debian's can't without a package of its own.
fn python() -> Option<&'static str> {
    let able = |program: &&str| succeeds(program, &["-c", "import ensurepip, venv"]);
    ["python3", "python3.12", "python3.11"].into_iter().find(able)
}

fn has_pjsua2(python: &Path) -> bool {
    python.exists() && succeeds(&python.to_string_lossy(), &["-c", "import pjsua2"])
}

fn installed(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
