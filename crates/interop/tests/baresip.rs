//! baresip: the binding's user part is its own, and it counts the Contacts in the answer to REGISTER.

use chappe_interop::{Driven, Folder, PASSWORD, Secure, Server, TEXT, find, free_port};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use tempfile::TempDir;

const MODULES: &str = "/usr/lib/baresip/modules";

struct Baresip {
    process: Driven,
    control: u16,
    _home: TempDir,
}

impl Baresip {
    fn start(server: &Server, user: &str, password: &str, transport: &str) -> Baresip {
        Baresip::at(&server.sip().to_string(), user, password, transport, "")
    }

    /// At the server's address, with more lines of configuration.
    fn at(server: &str, user: &str, password: &str, transport: &str, more: &str) -> Baresip {
        let (home, control) = (tempfile::tempdir().expect("a temporary folder"), free_port());
        let config = format!(
            "sip_listen 127.0.0.1:0\nmodule_path {MODULES}\nmodule stdio.so\nmodule_app account.so\n\
             module_app contact.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{control}\n{more}"
        );
        let uri = |user: &str| format!("sip:{user}@{server}");
        let outbound = match transport {
            "tls" => format!(";outbound=\"sip:{server};transport=tls\""),
            _ => String::new(),
        };
        let account = format!(
            "<{};transport={transport}>;auth_user={user};auth_pass={password};regint=600{outbound}\n",
            uri(user)
        );
        let contacts = format!("\"friend\" <{}>\n\"echo\" <{}>\n", uri("1001"), uri("echo"));
        for (name, text) in [("config", &config), ("accounts", &account), ("contacts", &contacts)] {
            std::fs::write(home.path().join(name), text).expect("a writable folder");
        }
        let mut command = Command::new("baresip");
        command.arg("-f").arg(home.path());
        Baresip { process: Driven::start(command), control, _home: home }
    }

    /// baresip sends to its current contact.
    fn message(&self, contact: &str, text: &str) {
        let steps = ["contact_prev", "contact_next", "contact_prev"];
        let chosen = steps.iter().any(|step| self.command(step, "").contains(contact));
        assert!(chosen, "no contact {contact}:\n{}", self.process.printed());
        self.command("message", text);
    }

    /// A command in baresip's control protocol, JSON in a netstring; the answer as it came.
    fn command(&self, command: &str, params: &str) -> String {
        let command = format!("{{\"command\":\"{command}\",\"params\":\"{params}\"}}");
        let mut control =
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.control)).expect("baresip's control port");
        write!(control, "{}:{command},", command.len()).expect("baresip's control port");
        let mut answer = String::new();
        // what happens meanwhile comes as events, before the response or after it
        while !answer.contains("\"response\":true") {
            let mut piece = [0; 1024];
            let length = control.read(&mut piece).expect("baresip's answer");
            assert_ne!(length, 0, "baresip closed its control port:\n{}", self.process.printed());
            answer += &String::from_utf8_lossy(&piece[..length]);
        }
        answer
    }
}

fn chat(transport: &str) {
    if find("baresip").is_none() {
        return;
    }
    let server = Server::start(Folder::new());
    let from = Baresip::start(&server, "1000", PASSWORD, transport);
    let to = Baresip::start(&server, "1001", PASSWORD, transport);
    from.process.expect("[1 binding]");
    to.process.expect("[1 binding]");

    from.message("friend", TEXT);
    to.process.expect(TEXT);
    from.message("echo", TEXT);
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

/// With the server's certificate checked.
#[test]
fn over_tls() {
    if find("baresip").is_none() {
        return;
    }
    let folder = Folder::new();
    let secure = Secure::of(&folder);
    let server = Server::start(folder);
    let more = format!("sip_cafile {}\nsip_verify_server yes\n", secure.authority.display());
    let start = |user| Baresip::at(&secure.tls().to_string(), user, PASSWORD, "tls", &more);
    let (from, to) = (start("1000"), start("1001"));
    from.process.expect("[1 binding]");
    to.process.expect("[1 binding]");
    from.message("friend", TEXT);
    to.process.expect(TEXT);
    from.message("echo", TEXT);
    from.process.expect(&format!("Hello, you said: {TEXT}"));
    drop(server);
}

#[test]
fn wrong_credentials_end_the_registration() {
    if find("baresip").is_none() {
        return;
    }
    let server = Server::start(Folder::new());
    let baresip = Baresip::start(&server, "1000", "wrong", "udp");
    baresip.process.expect("401 Unauthorized");
}
