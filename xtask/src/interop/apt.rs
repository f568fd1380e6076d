//! Programs, from Debian's packages.

use std::process::{Command, Stdio};

use super::installed;
use super::pip;
use crate::step::{Summary, succeeds};

/// A program the interop tests start, and the Debian package that has it.
const PROGRAMS: [(&str, &str); 15] = [
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
    ("tls.so", "kamailio-tls-modules"),
];

/// Installs what is missing, as root on Debian; names what is missing then.
pub fn install(summary: &mut Summary, missing: &mut Vec<String>) {
    let beside: &[&str] = if pip::python().is_none() { &["python3-venv"] } else { &[] };
    install_packages(summary, &PROGRAMS, beside);
    for (program, package) in PROGRAMS {
        if !is_there(program) {
            missing.push(format!("{program} is not installed (apt-get install {package})"));
        }
    }
}

/// The packages of what is not there, and others beside.
pub fn install_packages(summary: &mut Summary, wanted: &[(&str, &str)], beside: &[&str]) {
    let absent = wanted.iter().filter(|(what, _)| !is_there(what)).map(|(_, package)| *package);
    let packages: Vec<&str> = absent.chain(beside.iter().copied()).collect();
    if packages.is_empty() || !installed("apt-get") || !succeeds("sh", &["-c", "test \"$(id -u)\" = 0"]) {
        return;
    }
    eprintln!("\n── install {}", packages.join(" "));
    let install = [&["install", "--no-install-recommends"][..], &packages].concat();
    // The package lists of a fresh container are empty or old.
    let complete = apt(&install) || (apt(&["update"]) && apt(&install));
    if !complete {
        summary.skip("install clients", "apt-get could not install all of them");
    }
}

/// A program, or a module of Kamailio's (`NAME.so`), wherever Debian has put it.
pub fn is_there(what: &str) -> bool {
    if !what.ends_with(".so") {
        return installed(what);
    }
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    folders.map(|folder| folder.path().join("kamailio/modules").join(what)).any(|module| module.is_file())
}

fn apt(arguments: &[&str]) -> bool {
    let mut command = Command::new("apt-get");
    command.args(["-q", "-y", "-o", "DPkg::Lock::Timeout=120"]).args(arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    command.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}
