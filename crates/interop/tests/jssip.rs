//! JsSIP, by WebSocket with and without TLS.

use chappe_interop::{Driven, Folder, PASSWORD, Secure, Server, TEXT, find, node_modules};
use std::process::Command;

/// The command for a user, or `None` where there is no JsSIP.
fn agent(secure: &Secure, url: &str, user: &str, password: &str) -> Option<Command> {
    let (node, folder) = (find("node")?, node_modules("jssip")?);
    let mut command = Command::new(node);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/clients/jssip_agent.js"));
    command.args([url, "127.0.0.1", user, password]);
    command.env("NODE_PATH", folder.join("node_modules")).env("NODE_EXTRA_CA_CERTS", &secure.authority);
    Some(command)
}

fn chat(url: impl Fn(&Secure) -> String) {
    let folder = Folder::new();
    let secure = Secure::of(&folder);
    let url = url(&secure);
    let agent = |user| agent(&secure, &url, user, PASSWORD).map(Driven::start);
    if find("node").is_none() || node_modules("jssip").is_none() {
        return;
    }
    let server = Server::start(folder);
    let (Some(mut from), Some(mut to)) = (agent("1000"), agent("1001")) else { return };
    from.expect("registered\n");
    to.expect("registered\n");
    from.say(&format!("sip:1001@127.0.0.1 {TEXT}"));
    to.expect(&format!("received 1000 text/plain {TEXT}"));
    from.expect("status 200");
    to.say(&format!("sip:echo@127.0.0.1 {TEXT}"));
    to.expect(&format!("Hello, you said: {TEXT}"));
    // A page that was closed gets what came meanwhile when it is opened again.
    drop(to);
    from.say("sip:1001@127.0.0.1 while you were away");
    from.expect("status 202");
    let Some(to) = agent("1001") else { return };
    to.expect("received 1000 text/plain while you were away");
    drop(server);
}

#[test]
fn by_websocket() {
    chat(Secure::ws);
}

#[test]
fn by_websocket_with_tls() {
    chat(Secure::wss);
}

#[test]
fn wrong_credentials_and_foreign_pages_are_refused() {
    let folder = Folder::new();
    let secure = Secure::of(&folder);
    folder.profile(&[("ws-allowed-origins", "https://chat.test")]);
    let start = |origin: &str, password: &str| {
        let mut command = agent(&secure, &secure.wss(), "1000", password)?;
        command.env("ORIGIN", origin);
        Some(Driven::start(command))
    };
    let server = Server::start(folder);
    let (Some(good), Some(wrong), Some(foreign)) = (
        start("https://chat.test", PASSWORD),
        start("https://chat.test", "wrong"),
        start("https://evil.test", PASSWORD),
    ) else {
        return;
    };
    good.expect("registered\n");
    wrong.expect("refused");
    foreign.expect("disconnected");
    drop(server);
}
