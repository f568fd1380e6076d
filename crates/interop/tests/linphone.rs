//! linphone, as `linphonec` (a person's client) and as `linphone-daemon` (which tells what became of a message).

use chappe_interop::{Driven, Folder, PASSWORD, Secure, Server, TEXT, find, free_port};
use std::process::Command;
use tempfile::TempDir;

struct Linphone {
    process: Driven,
    _home: TempDir,
}

impl Linphone {
    /// With more lines of the section `sip`.
    fn start(program: &str, config_flag: &str, more: &str) -> Linphone {
        let home = tempfile::tempdir().expect("a temporary folder");
        for folder in [".local/share/linphone", ".config/linphone"] {
            std::fs::create_dir_all(home.path().join(folder)).expect("a writable folder");
        }
        let (port, tls, config) = (free_port(), free_port(), home.path().join("linphonerc"));
        let text = format!(
            "[sip]\nsip_port={port}\nsip_tcp_port={port}\nsip_tls_port={tls}\nguess_hostname=0\ncontact=sip:me@127.0.0.1\n{more}"
        );
        std::fs::write(&config, text).expect("a writable folder");
        let mut command = Command::new(program);
        command.arg(config_flag).arg(&config).env("HOME", home.path());
        Linphone { process: Driven::start(command), _home: home }
    }

    fn console(more: &str) -> Linphone {
        let linphone = Linphone::start("linphonec", "-c", more);
        linphone.process.expect("linphonec>");
        linphone
    }

    fn register(&mut self, server: &Server, user: &str, transport: &str) {
        self.register_as(&server.uri(user), &format!("{};transport={transport}", server.sip()));
    }

    fn register_as(&mut self, identity: &str, proxy: &str) {
        self.process.say(&format!("register {identity} <sip:{proxy}> {PASSWORD}"));
        for _ in 0..50 {
            self.process.say("status register");
            if self.process.wait_for("registered, identity", std::time::Duration::from_millis(200)) {
                return;
            }
        }
        panic!("{identity} is not registered:\n{}", self.process.printed());
    }

    /// Waits until a daemon's registration has failed.
    fn until_failed(&mut self) {
        for _ in 0..50 {
            self.process.say("register-status ALL");
            if self.process.wait_for("LinphoneRegistrationFailed", std::time::Duration::from_millis(200)) {
                return;
            }
        }
        panic!("still in progress:\n{}", self.process.printed());
    }
}

fn chat(transport: &str) {
    if find("linphonec").is_none() {
        return;
    }
    let server = Server::start(Folder::new());
    let (mut from, mut to) = (Linphone::console(""), Linphone::console(""));
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

fn believing(secure: &Secure) -> String {
    format!("root_ca={}\nverify_server_certs=1\nverify_server_cn=0\n", secure.authority.display())
}

/// With the server's certificate checked, but for the name in it: linphone takes no address for one.
#[test]
fn over_tls() {
    if find("linphonec").is_none() {
        return;
    }
    let folder = Folder::new();
    let secure = Secure::of(&folder);
    let server = Server::start(folder);
    let settings = believing(&secure);
    let (mut from, mut to) = (Linphone::console(&settings), Linphone::console(&settings));
    let proxy = format!("{};transport=tls", secure.tls());
    from.register_as("sip:1000@127.0.0.1", &proxy);
    to.register_as("sip:1001@127.0.0.1", &proxy);
    from.process.say(&format!("chat sip:1001@127.0.0.1 {TEXT}"));
    to.process.expect(&format!("Message received from sip:1000@127.0.0.1: {TEXT}"));
    from.process.say(&format!("chat sip:echo@127.0.0.1 {TEXT}"));
    from.process.expect(&format!("Hello, you said: {TEXT}"));
    drop(server);
}

/// Whoever the test's authority does not vouch for is not the server.
#[test]
fn a_server_that_is_unknown_gets_no_registration_over_tls() {
    if find("linphone-daemon").is_none() {
        return;
    }
    let (folder, other) = (Folder::new(), Folder::new());
    let (secure, stranger) = (Secure::of(&folder), Secure::of(&other));
    let _server = Server::start(folder);
    let mut daemon = Linphone::start("linphone-daemon", "--config", &believing(&stranger));
    let proxy = format!("sip:{};transport=tls", secure.tls());
    daemon.process.say(&format!("register sip:1000@127.0.0.1 {proxy} {PASSWORD}"));
    daemon.until_failed();
}

#[test]
fn wrong_credentials_end_the_registration() {
    if find("linphone-daemon").is_none() {
        return;
    }
    let server = Server::start(Folder::new());
    let mut daemon = Linphone::start("linphone-daemon", "--config", "");
    let (identity, proxy) = (server.uri("1000"), server.sip());
    daemon.process.say(&format!("register {identity} sip:{proxy};transport=udp wrong"));
    daemon.until_failed();
}
