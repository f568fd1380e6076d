//! Programs of Debian's that tests start from where they were unpacked, below `target/`: installing them would have the machine
//! run them.

use std::process::{Command, Stdio};

use super::installed;
use crate::step::{Summary, root, succeeds};

/// fail2ban, for its filter.
const PACKAGES: [(&str, &str); 1] = [("fail2ban", "usr/bin/fail2ban-regex")];

/// Unpacks what is missing into `target/interop-PACKAGE`; names what is missing then.
pub fn unpack(summary: &mut Summary, missing: &mut Vec<String>) {
    for (package, program) in PACKAGES {
        let folder = root().join("target").join(format!("interop-{package}"));
        let is_there = || folder.join(program).is_file();
        if !is_there() && installed("apt-get") && std::fs::create_dir_all(&folder).is_ok() {
            eprintln!("\n── unpack {package}");
            let mut download = Command::new("apt-get");
            download.args(["-q", "download", package]).current_dir(&folder).stdin(Stdio::null());
            let downloaded = download.status().is_ok_and(|status| status.success());
            let unpack = format!("cd '{}' && dpkg -x {package}_*.deb .", folder.display());
            if !downloaded || !succeeds("sh", &["-c", &unpack]) {
                summary.skip(&format!("unpack {package}"), "apt-get could not download it");
            }
        }
        if !is_there() {
            missing.push(format!("{package} is not in {}", folder.display()));
        }
    }
}
