//! Programs, from Debian's packages.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::installed;
use super::pip;
use crate::step::{Summary, succeeds};

/// A program the interop tests start, and the Debian package that has it.
const PROGRAMS: [(&str, &str); 14] = [
    ("sipsak", "sipsak"),
    ("kamailio", "kamailio"),
    ("sipp", "sip-tester"),
    ("linphonecsh", "linphone-cli"),
    ("baresip", "baresip-core"),
    ("chromium", "chromium"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("conntrack", "conntrack"),
    ("curl", "curl"),
    ("erl", "erlang-base"),
    ("psql", "postgresql"),
    ("node", "nodejs"),
    ("npm", "npm"),
];

/// A part of a program, below /usr/lib or a folder there, and the package that has it.
const PARTS: [(&str, &str); 1] = [("kamailio/modules/tls.so", "kamailio-tls-modules")];

/// Installs what is missing, as root on Debian; names what is missing then.
pub fn install(summary: &mut Summary, missing: &mut Vec<String>) {
    let mut packages: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !installed(program)).map(|(_, package)| *package).collect();
    packages.extend(PARTS.iter().filter(|(part, _)| !has(part)).map(|(_, package)| *package));
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
    for (part, package) in PARTS.iter().filter(|(part, _)| !has(part)) {
        missing.push(format!("{part} is not installed (apt-get install {package})"));
    }
}

/// Debian keeps libraries in a folder for each kind of machine.
fn has(part: &str) -> bool {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    folders.chain([PathBuf::from("/usr/lib")]).any(|folder| folder.join(part).is_file())
}

fn apt(arguments: &[&str]) -> bool {
    let mut command = Command::new("apt-get");
    command.args(["-q", "-y", "-o", "DPkg::Lock::Timeout=120"]).args(arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    command.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}
