//! Real event socket clients: each subscribes, hears a message, runs a command at once and in the background, sends a
//! message that a registered user agent gets, and hears what became of it.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use chappe_interop::{Agent, Driven, Folder, PASSWORD, Server, find, node_modules, python_with};

/// What a client that works in UTF-8 sends.
const TEXT: &str = "žluťoučký\n\nkůň";

fn client(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "clients", name].iter().collect()
}

/// The folder with ESL.py and ESL.pm.
fn libraries() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "clients"].iter().collect()
}

/// Runs a client against a server of its own. `text` is what it sends.
fn converse(mut command: Command, form: &str, text: &str) {
    let server = Server::start(Folder::new());
    let (mut sender, mut recipient) = (Agent::udp(server.sip(), "1004"), Agent::udp(server.sip(), "1005"));
    assert_eq!((sender.register(), recipient.register()), (200, 200));
    let port = server.folder.event_port.to_string();
    command.args(["127.0.0.1", &port, "ClueCon", form, "1005@127.0.0.1"]).env("PYTHONIOENCODING", "utf-8");
    let mut client = Driven::start(command);
    client.expect("subscribed\n");
    assert_eq!(sender.message(&server.uri("1005"), "text/plain", "hello ž".as_bytes()), 200);
    assert_eq!(recipient.receive().text(), "hello ž");
    client.expect("MESSAGE 1004 hello ž\n");
    client.expect("API one two\n");
    client.expect("JOB job-1 three\n");
    client.expect("SENT +OK\n");
    assert_eq!(recipient.receive().text(), text);
    client.expect("REPORT Success\n");
    client.expect("END 0\n");
    let ended = client.ended(Duration::from_secs(10));
    assert!(ended.success(), "{ended}: {}", client.printed());
}

#[test]
fn esl_py() {
    let Some(python) = find("python3") else { return };
    for form in ["plain", "json"] {
        let mut command = Command::new(&python);
        command.arg(client("esl_library.py")).env("PYTHONPATH", libraries());
        converse(command, form, TEXT);
    }
}

#[test]
fn esl_pm() {
    let Some(perl) = find("perl") else { return };
    for form in ["plain", "json"] {
        let mut command = Command::new(&perl);
        command.arg(client("esl_library.pl")).env("PERL5LIB", libraries());
        converse(command, form, TEXT);
    }
}

#[test]
fn greenswitch() {
    let Some(python) = python_with("greenswitch") else { return };
    let mut command = Command::new(python);
    command.arg(client("greenswitch_client.py"));
    converse(command, "plain", TEXT);
}

#[test]
fn genesis() {
    let Some(python) = python_with("genesis") else { return };
    let mut command = Command::new(python);
    command.arg(client("genesis_client.py"));
    converse(command, "plain", TEXT);
}

#[test]
fn modesl() {
    let (Some(node), Some(folder)) = (find("node"), node_modules("modesl")) else { return };
    for form in ["plain", "json"] {
        let mut command = Command::new(&node);
        command.arg(client("modesl_client.js")).env("NODE_PATH", folder.join("node_modules"));
        converse(command, form, "from modesl");
    }
}

#[test]
fn esl() {
    let (Some(node), Some(folder)) = (find("node"), node_modules("esl")) else { return };
    let mut command = Command::new(&node);
    command.arg(client("esl_client.mjs")).current_dir(folder);
    converse(command, "json", "from esl");
}

/// It keeps JSON events to itself. Any other frame answers the oldest command that waits, so that a blank line, which is no
/// command, waits for the next event. It sends first and waits for the answer after, so that an answer which another thread
/// reads in between is lost: with one thread nothing is read before all that is polled here waits.
#[tokio::test(flavor = "current_thread")]
async fn freeswitch_esl() {
    let server = Server::start(Folder::new());
    let (mut sender, mut recipient) = (Agent::udp(server.sip(), "1004"), Agent::udp(server.sip(), "1005"));
    assert_eq!((sender.register(), recipient.register()), (200, 200));
    let address = ("127.0.0.1", server.folder.event_port);
    assert!(freeswitch_esl::Esl::inbound(address, PASSWORD).await.is_err(), "a wrong password");
    let client = freeswitch_esl::Esl::inbound(address, "ClueCon").await.expect("let in");
    assert!(client.connected());
    assert_eq!(client.api("reloadxml").await.expect("an answer"), "[Success]");
    assert_eq!(client.bgapi("reloadxml").await.expect("an answer"), "[Success]");

    let subscribed =
        client.send_recv(b"event plain MESSAGE CUSTOM SMS::DELIVERY_REPORT").await.expect("a reply");
    assert_eq!(subscribed.headers()["Reply-Text"], "+OK event listener enabled plain");
    let uri = server.uri("1005");
    let sending =
        async { tokio::task::spawn_blocking(move || sender.message(&uri, "text/plain", b"hello")).await };
    let (one, other, status) = tokio::join!(client.send_recv(b""), client.send_recv(b""), sending);
    assert_eq!(status.expect("sent"), 200);
    let events = [one, other].map(|event| event.expect("an event").body().clone().expect("a body"));
    assert!(
        events.iter().any(|event| event.contains("Event-Name: MESSAGE\n") && event.ends_with("hello")),
        "{events:?}"
    );
    assert!(events.iter().any(|event| event.contains("Status: Success\n")), "{events:?}");
    assert_eq!(recipient.receive().text(), "hello");

    let body = TEXT.as_bytes();
    let head = format!(
        "sendevent CUSTOM\nEvent-Subclass: SMS::SEND_MESSAGE\ndest_proto: sip\nfrom: server@127.0.0.1\n\
         to: 1005@127.0.0.1\ntype: text/plain\nContent-Length: {}\n\n",
        body.len()
    );
    let event = [head.as_bytes(), body].concat();
    let (reply, report) = tokio::join!(client.send_recv(&event), client.send_recv(b""));
    let said = reply.expect("a reply").headers()["Reply-Text"].as_str().map(str::to_owned).expect("a text");
    assert!(said.starts_with("+OK "), "{said}");
    let report = report.expect("an event").body().clone().expect("a body");
    assert!(
        report.contains("Status: Success\n") && report.contains("from: server%40127.0.0.1\n"),
        "{report}"
    );
    assert_eq!(recipient.receive().text(), TEXT);
    client.disconnect().await.expect("a reply");
}

#[test]
fn the_pages_scripts_send() {
    let server = Server::start(Folder::new());
    let mut recipient = Agent::udp(server.sip(), "1005");
    assert_eq!(recipient.register(), 200);
    let port = server.folder.event_port.to_string();
    for (program, script, text) in
        [("python3", "page_send.py", "Hello from Python"), ("perl", "page_send.pl", "Hello from Perl")]
    {
        let Some(program) = find(program) else { continue };
        let mut command = Command::new(program);
        command.arg(client(script)).args(["127.0.0.1", &port, "ClueCon", "1005@127.0.0.1"]);
        let ran =
            command.env("PYTHONPATH", libraries()).env("PERL5LIB", libraries()).output().expect("it starts");
        assert!(ran.status.success(), "{script}: {}", String::from_utf8_lossy(&ran.stderr));
        let received = recipient.receive();
        assert_eq!(received.text(), text);
        assert!(
            received.header("From").is_some_and(|from| from.contains("sip:1004@127.0.0.1")),
            "{}",
            received.head
        );
    }
}

/// ESL.py and ESL.pm against servers that do what the real one does not.
#[test]
fn the_libraries_own_tests() {
    for (program, test) in [("python3", "test_esl.py"), ("perl", "esl.t")] {
        let Some(program) = find(program) else { continue };
        let ran =
            Command::new(program).arg(libraries().join("tests").join(test)).output().expect("it starts");
        let (out, errors) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{test}: {}\n{out}\n{errors}", ran.status);
    }
}
