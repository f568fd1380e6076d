//! The user agents that people have, away and back.

use std::process::Command;

use chappe_interop::{Agent, Driven, Folder, PASSWORD, TEXT, find, pjsua2_python};

use crate::{registered, server};

/// pjsua2 is told 202; and gets, once it registers, what others sent it meanwhile.
#[test]
fn pjsua2() {
    let Some(python) = pjsua2_python() else { return };
    let server = server(Folder::new(), &[]);
    let start = |user: &str| {
        let mut command = Command::new(&python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/clients/pjsua2_agent.py"));
        command.args([&server.sip().to_string(), "udp", user, PASSWORD]).env("PYTHONIOENCODING", "utf-8");
        Driven::start(command)
    };
    let mut from = start("1000");
    from.expect("registered 200");
    from.say(&format!("{} {TEXT}", server.uri("1001")));
    from.expect(&format!("status {};transport=udp 202", server.uri("1001")));
    let mut other = Agent::udp(server.sip(), "1002");
    assert_eq!(other.message(&server.uri("1001"), "text/plain", b"and another"), 202);
    let to = start("1001");
    to.expect(&format!("text/plain {TEXT}"));
    to.expect("text/plain and another");
}

#[test]
fn baresip_gets_what_waited() {
    if find("baresip").is_none() {
        return;
    }
    let server = server(Folder::new(), &[]);
    let mut from = Agent::udp(server.sip(), "1000");
    assert_eq!(from.message(&server.uri("1001"), "text/plain;charset=UTF-8", TEXT.as_bytes()), 202);
    let home = tempfile::tempdir().expect("a temporary folder");
    let uri = server.uri("1001");
    let config = "sip_listen 127.0.0.1:0\nmodule_path /usr/lib/baresip/modules\nmodule stdio.so\nmodule_app account.so\n\
                  module_app menu.so\n";
    let account = format!("<{uri};transport=udp>;auth_user=1001;auth_pass={PASSWORD};regint=600\n");
    std::fs::write(home.path().join("config"), config).expect("a writable folder");
    std::fs::write(home.path().join("accounts"), account).expect("a writable folder");
    let mut command = Command::new("baresip");
    command.arg("-f").arg(home.path());
    let to = Driven::start(command);
    to.expect(TEXT);
}

/// sipsak takes a 202 for what it is, a success.
#[test]
fn sipsak_sends_to_somebody_away() {
    if find("sipsak").is_none() {
        return;
    }
    let server = server(Folder::new(), &[]);
    let (uri, from) = (server.uri("1001"), server.uri("1000"));
    let request = format!(
        "MESSAGE {uri} SIP/2.0\r\nFrom: {from};tag=1\r\nTo: {uri}\r\nCall-ID: away@127.0.0.1\r\nCSeq: 1 MESSAGE\r\n\
         Max-Forwards: 70\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: {}\r\n\r\n{TEXT}",
        TEXT.len()
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("message.sip");
    std::fs::write(&file, request).expect("a writable folder");
    let sent = Command::new("sipsak")
        .args(["-vv", "-f", &file.to_string_lossy(), "-L", "-s", &uri, "-u", "1000", "-a", PASSWORD])
        .output()
        .expect("sipsak runs");
    let printed = String::from_utf8_lossy(&sent.stdout).into_owned();
    assert!(printed.contains("202 Accepted"), "{printed}");
    let mut to = registered(&server, "1001");
    assert_eq!(to.receive().text(), TEXT);
}
