//! sipsak: addresses without angle brackets, one request and away.

use chappe_interop::{Agent, Folder, PASSWORD, Server, TEXT, find};
use std::process::{Command, Output};

fn sipsak(arguments: &[&str]) -> Output {
    Command::new("sipsak").args(arguments).output().expect("sipsak runs")
}

fn printed(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].iter().map(|text| String::from_utf8_lossy(text)).collect()
}

/// sipsak's own message mode ends in a segmentation fault (0.9.8.1), so the request is handed to it as a file; the
/// Via, the credentials and the second CSeq are sipsak's.
fn send(server: &Server, to: &str, password: &str, transport: &str) -> Output {
    let (uri, from) = (server.uri(to), server.uri("1000"));
    let request = format!(
        "MESSAGE {uri} SIP/2.0\r\nFrom: {from};tag={to}{transport}\r\nTo: {uri}\r\nCall-ID: {to}-{transport}@127.0.0.1\r\n\
         CSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: {}\r\n\r\n{TEXT}",
        TEXT.len()
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("message.sip");
    std::fs::write(&file, request).expect("a writable folder");
    let file = file.to_string_lossy();
    sipsak(&["-E", transport, "-L", "-f", &file, "-s", &uri, "-u", "1000", "-a", password])
}

fn registers_sends_and_is_answered(transport: &str) {
    if find("sipsak").is_none() {
        return;
    }
    let server = Server::start(Folder::new());
    let mut to = Agent::udp(server.sip(), "1001");
    assert_eq!(to.register(), 200);

    // sipsak ends with its request, so the replies go to a contact that it registers for somebody who stays
    let mut stays = Agent::udp(server.sip(), "1000");
    let contact = format!("sip:1000@127.0.0.1:{}", stays.port());
    let own = server.uri("1000");
    let registered = sipsak(&[
        "-E", transport, "-U", "-i", "-C", &contact, "-s", &own, "-u", "1000", "-a", PASSWORD, "-x", "600",
    ]);
    assert!(registered.status.success(), "{}", printed(&registered));

    let sent = send(&server, "1001", PASSWORD, transport);
    assert!(sent.status.success(), "{}", printed(&sent));
    assert_eq!(to.receive().text(), TEXT);

    let sent = send(&server, "echo", PASSWORD, transport);
    assert!(sent.status.success(), "{}", printed(&sent));
    assert_eq!(stays.receive().text(), format!("Hello, you said: {TEXT}"));
}

#[test]
fn over_udp() {
    registers_sends_and_is_answered("udp");
}

#[test]
fn over_tcp() {
    registers_sends_and_is_answered("tcp");
}

#[test]
fn wrong_credentials_end_in_an_error() {
    if find("sipsak").is_none() {
        return;
    }
    let server = Server::start(Folder::new());
    let sent = send(&server, "1001", "wrong", "udp");
    assert!(!sent.status.success(), "{}", printed(&sent));
}
