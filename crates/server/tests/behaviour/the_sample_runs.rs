//! `chappe serve` without a folder: what its banner says can be pasted, and works.

use std::io::BufRead;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Running, chappe, first_line, text};

fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]).stdin(Stdio::null());
    command
}

#[test]
fn the_line_to_echo_prints_the_chatplans_reply() {
    let started = Instant::now();
    let server = Running::sample();
    let output = shell(server.line("--to echo")).output().expect("runs");
    assert_eq!(text(&output), "200 OK\necho: Hello, you said: Hello there\n");
    assert!(output.status.success());
    // A second is promised on an idle machine; tests share theirs.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn the_lines_from_one_user_to_another_meet() {
    let server = Running::sample();
    let (mut waiting, registered, mut out) = first_line(&mut shell(server.line("--from 1001")));
    assert_eq!(registered, "waiting for messages to 1001@127.0.0.1\n");
    let sent = shell(server.line("--from 1000")).output().expect("runs");
    assert_eq!(text(&sent), "200 OK\n");
    let mut message = String::new();
    out.read_line(&mut message).expect("readable");
    assert_eq!(message, "1000: Hello 1001\n");
    waiting.kill().expect("still waits");
    waiting.wait().expect("ends");
}

#[test]
fn tcp_and_any_alphabet() {
    let server = Running::sample();
    let line = server.line("--to echo").replace("'Hello there'", "--transport tcp 'grüße 👋'");
    assert_eq!(text(&shell(&line).output().expect("runs")), "200 OK\necho: Hello, you said: grüße 👋\n");
}

#[test]
fn a_wrong_password_is_told_as_such() {
    let server = Running::sample();
    let output = chappe()
        .args(["send", "--server", &server.sip(), "--password", "wrong", "x"])
        .output()
        .expect("runs");
    assert!(!output.status.success());
    assert!(text(&output).contains("registering 1000@127.0.0.1 was refused: 40"), "{}", text(&output));
}

#[test]
fn nobody_there_is_told_as_such() {
    let output = chappe().args(["send", "--server", "127.0.0.1:1", "x"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("failed to reach 127.0.0.1:1"), "{}", text(&output));
}

#[test]
fn it_ends_when_asked() {
    for name in ["TERM", "INT"] {
        let server = Running::sample();
        server.signal(name);
        assert_eq!(server.wait().code(), Some(0), "SIG{name}");
    }
    let server = Running::sample();
    assert_eq!(server.api("fsctl shutdown"), "+OK\n");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_taken_port_is_an_error_that_says_what_to_do() {
    let server = Running::sample();
    let port = server.sip().rsplit(':').next().expect("a port").to_owned();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = chappe()
        .args(["serve", "--set", &format!("sip_port={port}"), "--set", "event_socket_port=0"])
        .current_dir(folder.path())
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output);
    assert!(said.contains(&format!("127.0.0.1:{port}")) && said.contains("--set sip_port="), "{said}");
}
