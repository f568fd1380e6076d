//! fail2ban: its own filter for FreeSWITCH reads the log.

use std::path::Path;
use std::process::Command;

use chappe_interop::{Agent, Folder, Server, unpacked};

/// The line that docs/security.md asks for.
const LOCAL: &str = include_str!("../../../docs/fail2ban/freeswitch.local");

/// How many of the log's lines the filter takes for failures.
fn matched(fail2ban: &Path, folder: &Path, log: &str, mode: &str) -> usize {
    let (log_file, filters) = (folder.join("log"), folder.join("filter.d"));
    std::fs::create_dir_all(&filters).expect("a writable folder");
    for name in ["common.conf", "freeswitch.conf"] {
        let own = fail2ban.join("etc/fail2ban/filter.d").join(name);
        std::fs::copy(own, filters.join(name)).expect("fail2ban brings its filters");
    }
    std::fs::write(filters.join("freeswitch.local"), LOCAL).expect("a writable folder");
    std::fs::write(&log_file, log).expect("a writable folder");
    let output = Command::new(fail2ban.join("usr/bin/fail2ban-regex"))
        .env("PYTHONPATH", fail2ban.join("usr/lib/python3/dist-packages"))
        .arg(&log_file)
        .arg(format!("{}[mode={mode}]", filters.join("freeswitch.conf").display()))
        .output()
        .expect("fail2ban-regex runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let count = printed.split_once("ignored, ").and_then(|(_, rest)| rest.split_once(" matched"));
    count.and_then(|(count, _)| count.parse().ok()).unwrap_or_else(|| panic!("no count in {printed}"))
}

#[test]
fn its_freeswitch_filter_finds_failures_and_challenges() {
    let Some(fail2ban) = unpacked("fail2ban") else { return };
    let server = Server::start(Folder::new());
    let mut agent = Agent::udp(server.sip(), "1000");
    let to = server.uri("echo");
    for _ in 0..3 {
        assert_eq!(agent.message_with_password(&to, "text/plain", b"x", "wrong"), 407);
    }
    server.process.expect(
        "SIP auth failure (INVITE) on sofia profile 'internal' for [1000@127.0.0.1] from ip 127.0.0.1\n",
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut log = server.process.printed();
    log.truncate(log.rfind('\n').map_or(0, |end| end + 1));
    for (mode, what) in [("normal", "SIP auth failure ("), ("ddos", "SIP auth ")] {
        let written = log.lines().filter(|line| line.contains(what)).count();
        assert!(written >= 1);
        assert_eq!(matched(&fail2ban, folder.path(), &log, mode), written, "{mode}: {log}");
    }
}
