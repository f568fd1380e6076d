//! Programs, from Debian's packages.

use std::process::{Command, Stdio};

use super::installed;
use super::pip;
use crate::step::{Summary, succeeds};

/// A program the interop tests start, and the Debian package that has it.
const PROGRAMS: [(&str, &str); 11] = [
    ("sipsak", "sipsak"),
    ("kamailio", "kamailio"),
    ("sipp", "sip-tester"),
    ("linphonecsh", "linphone-cli"),
    ("baresip", "baresip-core"),
    ("ip", "iproute2"),
    ("curl", "curl"),
    ("erl", "erlang-base"),
    ("psql", "postgresql"),
    ("node", "nodejs"),
    ("npm", "npm"),
];

/// Installs what is missing, as root on Debian; names what is missing then.
pub fn install(summary: &mut Summary, missing: &mut Vec<String>) {
    let mut packages: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !installed(program)).map(|(_, package)| *package).collect();
    if pip::python().is_none() {
        packages.push("python3-venv");
    }
    if !packages.is_empty() && installed("apt-get") && succeeds("sh", &["-c", "test \"$(id -u)\" = 0"]) {
        eprintln!("\n── install {}", packages.join(" "));
        let install = [&["install", "--no-install-recommends"][..], &packages].concat();
        // The package lists of a fresh container are empty or old.
        let complete = apt(&install) || (apt(&["update"]) && apt(&install));
        if !complete {
            summary.skip("install clients", "apt-get could not install all of them");
        }
    }
    for (program, package) in PROGRAMS {
        if !installed(program) {
            missing.push(format!("{program} is not installed (apt-get install {package})"));
        }
    }
}

fn apt(arguments: &[&str]) -> bool {
    let mut command = Command::new("apt-get");
    command.args(["-q", "-y", "-o", "DPkg::Lock::Timeout=120"]).args(arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    command.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}
