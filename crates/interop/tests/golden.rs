//! The recorded cases in `golden/`: what FreeSWITCH was seen to do with a chatplan, held against this server with
//! `freeswitch-quirks`. Each part runs in a network namespace of its own where that is allowed, since the runner's
//! ports are fixed; one after the other where not.

use chappe_interop::binary;
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Starts the server, waits for its event socket, runs the runner, ends the server.
const SCRIPT: &str = r#"
ip link set lo up 2>/dev/null
"$CHAPPE" serve --conf "$CONF" >"$CONF/server.log" 2>&1 & server=$!
trap 'kill $server; wait $server' EXIT
for _ in $(seq 500); do
  python3 -c 'import socket; socket.create_connection(("127.0.0.1", 8031))' 2>/dev/null && break
  kill -0 $server || exit 1
  sleep 0.02
done
python3 "$RUNNER" check "$CASES" --conf "$CONF" --scripts "$CONF/../scripts" --sip 127.0.0.1:5076 --verbose
"#;

/// The profile's port in `golden/conf`, and the one it had when the cases were recorded: one case holds it.
const PORT: [&str; 2] = [r#"name="sip-port" value="5066""#, r#"name="sip-port" value="5076""#];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// Every `parts`th case of the file, beginning with number `part`.
fn cases(file: &str, part: usize, parts: usize) -> Vec<Value> {
    let text = std::fs::read_to_string(golden().join("cases").join(file)).expect("the recorded cases");
    let all: Vec<Value> = serde_json::from_str(&text).expect("the recorded cases are JSON");
    all.into_iter().skip(part).step_by(parts).collect()
}

fn check(file: &str, part: usize, parts: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let conf = folder.path().join("conf");
    copy(&golden().join("conf"), &conf);
    let main = conf.join("freeswitch.xml");
    let text = std::fs::read_to_string(&main).expect("just copied");
    std::fs::write(&main, text.replace(PORT[0], PORT[1])).expect("a writable folder");
    let cases = cases(file, part, parts);
    let path = folder.path().join("cases.json");
    std::fs::write(&path, serde_json::to_vec(&cases).expect("JSON")).expect("a writable folder");

    let isolated = Command::new("unshare").args(["--net", "ip", "link", "set", "lo", "up"]).status();
    let isolated = isolated.is_ok_and(|status| status.success());
    let _alone = (!isolated).then(one_at_a_time);
    let mut command = Command::new(if isolated { "unshare" } else { "bash" });
    if isolated {
        command.args(["--net", "bash"]);
    }
    command.args(["-c", SCRIPT]).env("CHAPPE", binary()).env("CONF", &conf).env("CASES", &path);
    let output = command.env("RUNNER", golden().join("runner.py")).output().expect("bash runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let log = std::fs::read_to_string(conf.join("server.log")).unwrap_or_default();
    let tail = &log[log.floor_char_boundary(log.len().saturating_sub(4000))..];
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}\nthe end of the server's log:\n{tail}");
    assert!(said.contains(&format!("{} passed, 0 failed", cases.len())), "not every case was run:\n{said}");
}

fn one_at_a_time() -> File {
    let lock = File::create(std::env::temp_dir().join("chappe-golden.lock")).expect("a temporary file");
    lock.lock().expect("a lock on a temporary file");
    lock
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a writable folder");
    for entry in std::fs::read_dir(from).expect("the recorded configuration") {
        let path = entry.expect("a folder's entry").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("a writable folder");
        }
    }
}

macro_rules! parts {
    ($($test:ident: $file:literal, $part:literal of $parts:literal;)*) => {$(
        #[test]
        fn $test() {
            check($file, $part, $parts);
        }
    )*};
}

parts! {
    generated_0: "generated.json", 0 of 2;
    generated_1: "generated.json", 1 of 2;
    handwritten_0: "handwritten.json", 0 of 4;
    handwritten_1: "handwritten.json", 1 of 4;
    handwritten_2: "handwritten.json", 2 of 4;
    handwritten_3: "handwritten.json", 3 of 4;
    xml_and_scripts: "xml-and-scripts.json", 0 of 1;
}
