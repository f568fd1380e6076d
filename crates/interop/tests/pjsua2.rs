//! pjsua2, by its Python binding.

use chappe_interop::{Driven, Folder, PASSWORD, Secure, Server, TEXT, pjsua2_python};
use std::path::Path;
use std::process::Command;

fn start(python: &Path, server: &Server, transport: &str, user: &str, password: &str) -> Driven {
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/clients/pjsua2_agent.py"));
    command.args([&server.sip().to_string(), transport, user, password]).env("PYTHONIOENCODING", "utf-8");
    Driven::start(command)
}

fn chat(transport: &str) {
    let Some(python) = pjsua2_python() else { return };
    let server = Server::start(Folder::new());
    let mut from = start(&python, &server, transport, "1000", PASSWORD);
    let to = start(&python, &server, transport, "1001", PASSWORD);
    from.expect("registered 200");
    to.expect("registered 200");

    from.say(&format!("{} {TEXT}", server.uri("1001")));
    to.expect(&format!("text/plain {TEXT}"));
    from.expect(&format!("status {};transport={transport} 200", server.uri("1001")));
    from.say(&format!("{} {TEXT}", server.uri("echo")));
    from.expect(&format!("Hello, you said: {TEXT}"));
}

#[test]
fn over_udp() {
    chat("udp");
}

#[test]
fn over_tcp() {
    chat("tcp");
}

/// With the server's certificate checked, and the name in it.
#[test]
fn over_tls() {
    let Some(python) = pjsua2_python() else { return };
    let folder = Folder::new();
    let secure = Secure::of(&folder);
    let server = Server::start(folder);
    let agent = |user: &str| {
        let mut command = Command::new(&python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/clients/pjsua2_agent.py"));
        command.args([&secure.tls().to_string(), "tls", user, PASSWORD]).arg(&secure.authority);
        command.env("PYTHONIOENCODING", "utf-8");
        Driven::start(command)
    };
    let (mut from, to) = (agent("1000"), agent("1001"));
    from.expect("registered 200");
    to.expect("registered 200");
    let uri = |user: &str| format!("sip:{user}@{}", secure.tls());
    from.say(&format!("{} {TEXT}", uri("1001")));
    to.expect(&format!("text/plain {TEXT}"));
    from.expect(&format!("status {};transport=tls 200", uri("1001")));
    from.say(&format!("{} {TEXT}", uri("echo")));
    from.expect(&format!("Hello, you said: {TEXT}"));
    drop(server);
}

#[test]
fn wrong_credentials_end_the_registration() {
    let Some(python) = pjsua2_python() else { return };
    let server = Server::start(Folder::new());
    let agent = start(&python, &server, "udp", "1000", "wrong");
    agent.expect("registered 401");
}
