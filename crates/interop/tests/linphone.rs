//! linphone, as `linphonec` (a person's client) and as `linphone-daemon` (which tells what became of a message).

use chappe_interop::{Driven, Folder, PASSWORD, Server, TEXT, find, free_port};
use std::process::Command;
use tempfile::TempDir;

struct Linphone {
    process: Driven,
    _home: TempDir,
}

impl Linphone {
    fn start(program: &str, config_flag: &str) -> Linphone {
        let home = tempfile::tempdir().expect("a temporary folder");
        for folder in [".local/share/linphone", ".config/linphone"] {
            std::fs::create_dir_all(home.path().join(folder)).expect("a writable folder");
        }
        let (port, config) = (free_port(), home.path().join("linphonerc"));
        let text = format!(
            "[sip]\nsip_port={port}\nsip_tcp_port={port}\nguess_hostname=0\ncontact=sip:me@127.0.0.1\n"
        );
        std::fs::write(&config, text).expect("a writable folder");
        let mut command = Command::new(program);
        command.arg(config_flag).arg(&config).env("HOME", home.path());
        Linphone { process: Driven::start(command), _home: home }
    }

    fn console() -> Linphone {
        let linphone = Linphone::start("linphonec", "-c");
        linphone.process.expect("linphonec>");
        linphone
    }

    fn register(&mut self, server: &Server, user: &str, transport: &str) {
        let (identity, proxy) = (server.uri(user), server.sip());
        self.process.say(&format!("register {identity} <sip:{proxy};transport={transport}> {PASSWORD}"));
        for _ in 0..50 {
            self.process.say("status register");
            if self.process.wait_for("registered, identity", std::time::Duration::from_millis(200)) {
                return;
            }
        }
        panic!("{user} is not registered:\n{}\n{}", self.process.printed(), "");
    }
}

fn chat(transport: &str) {
    if find("linphonec").is_none() {
        return;
    }
    let server = Server::start(Folder::new());
    let (mut from, mut to) = (Linphone::console(), Linphone::console());
    from.register(&server, "1000", transport);
    to.register(&server, "1001", transport);

    from.process.say(&format!("chat {} {TEXT}", server.uri("1001")));
    to.process.expect(&format!("Message received from sip:1000@127.0.0.1: {TEXT}"));
    from.process.say(&format!("chat {} {TEXT}", server.uri("echo")));
    from.process.expect(&format!("Hello, you said: {TEXT}"));
}

#[test]
fn over_udp() {
    chat("udp");
}

#[test]
fn over_tcp() {
    chat("tcp");
}

#[test]
fn wrong_credentials_end_the_registration() {
    if find("linphone-daemon").is_none() {
        return;
    }
    let server = Server::start(Folder::new());
    let mut daemon = Linphone::start("linphone-daemon", "--config");
    let (identity, proxy) = (server.uri("1000"), server.sip());
    daemon.process.say(&format!("register {identity} sip:{proxy};transport=udp wrong"));
    for _ in 0..50 {
        daemon.process.say("register-status ALL");
        if daemon.process.wait_for("LinphoneRegistrationFailed", std::time::Duration::from_millis(200)) {
            return;
        }
    }
    panic!("still in progress:\n{}", daemon.process.printed());
}
