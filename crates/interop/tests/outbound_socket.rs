//! Messages handled by programs that listen: one of the standard library alone, and those that client libraries make.
//! SIP user agents on the one side, the library's own server on the other.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chappe_interop::{Agent, Driven, Folder, Server, free_port};

/// A server whose messages to `socket` go to the program on `port`, and then on to a reply.
fn server(port: u16, settings: &str) -> (Server, Agent) {
    let folder = Folder::new();
    let main = std::fs::read_to_string(folder.path().join("freeswitch.xml")).expect("just written");
    let listen = r#"<param name="listen-ip" value="127.0.0.1"/>"#;
    folder.write("freeswitch.xml", &main.replace(listen, &format!("{listen}{settings}")));
    folder.write(
        "chatplan/default.xml",
        &format!(
            r#"<include>
<context name="default">
  <extension name="socket"><condition field="to_user" expression="^socket$">
    <action application="socket" data="127.0.0.1:{port} async full"/>
    <action application="reply" data="the colour is ${{colour}}"/>
  </condition></extension>
</context>
</include>
"#
        ),
    );
    let server = Server::start(folder);
    let mut sender = Agent::udp(server.sip(), "1004");
    assert_eq!(sender.register(), 200);
    (server, sender)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outbound").join(name)
}

/// Starts a program that listens on `port`, and waits until it does.
fn start(mut command: Command, name: &str, port: u16) -> Driven {
    command.arg(script(name)).arg(port.to_string());
    let program = Driven::start(command);
    program.expect("listening");
    program
}

/// What every program does with a message: it sets the colour, replies, and leaves.
fn a_message_is_handled(command: Command, name: &str) {
    let port = free_port();
    let program = start(command, name, port);
    let (server, mut sender) = server(port, "");
    for text in ["one", "two, and ž"] {
        assert_eq!(
            sender.message(&server.uri("socket"), "text/plain", text.as_bytes()),
            200,
            "{}",
            program.printed()
        );
        // Two replies are two transactions, and may overtake each other.
        let mut replies = [sender.receive().text(), sender.receive().text()];
        replies.sort();
        assert_eq!(replies, [format!("1004, you said: {text}"), "the colour is blue".to_owned()]);
        program.expect(&format!("handled {text}"));
    }
}

/// A Python that has the module: `$CHAPPE_INTEROP_PYTHON`, the virtual environment under `target/`, or the machine's own.
fn python(module: &str) -> Option<Command> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/interop-venv/bin/python");
    let named = std::env::var_os("CHAPPE_INTEROP_PYTHON").map(PathBuf::from);
    let has = |python: &PathBuf| {
        let mut command = Command::new(python);
        command.args(["-c", &format!("import {module}")]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let found = [named, Some(venv), Some("python3".into())].into_iter().flatten().find(has);
    if found.is_none() {
        println!("skipped: no Python here can import {module}");
    }
    found.map(|python| {
        let mut command = Command::new(python);
        command.arg("-u");
        command
    })
}

/// A node that has the package: of `target/interop-node`, or of wherever NODE_PATH says.
fn node(package: &str) -> Option<Command> {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/interop-node/node_modules");
    let command = || {
        let mut command = Command::new("node");
        if installed.is_dir() {
            command.env("NODE_PATH", &installed);
        }
        command
    };
    let mut asked = command();
    asked.args(["-e", &format!("require('{package}')")]).stdout(Stdio::null()).stderr(Stdio::null());
    if asked.status().is_ok_and(|status| status.success()) {
        return Some(command());
    }
    println!("skipped: no node here has {package}");
    None
}

#[test]
fn plain_python_handles_messages() {
    if let Some(python) = python("socketserver") {
        a_message_is_handled(python, "plain.py");
    }
}

#[test]
fn greenswitch_handles_messages() {
    if let Some(python) = python("greenswitch") {
        a_message_is_handled(python, "with_greenswitch.py");
    }
}

#[test]
fn genesis_handles_messages() {
    if let Some(python) = python("genesis.outbound") {
        a_message_is_handled(python, "with_genesis.py");
    }
}

#[test]
fn modesl_handles_messages() {
    if let Some(node) = node("modesl") {
        a_message_is_handled(node, "with_modesl.js");
    }
}

/// The manual's program, as it stands there.
#[test]
fn the_manuals_program_handles_messages() {
    let Some(mut python) = python("socketserver") else { return };
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/outbound-socket.md");
    let manual = std::fs::read_to_string(manual).expect("the manual has the page");
    let program = manual.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    let port = free_port();
    let program = program.expect("an example").replace("8084", &port.to_string());
    python.args(["-c", &program]);
    let program = Driven::start(python);
    let (server, mut sender) = server(port, "");
    let uri = server.uri("socket");
    // It does not say when it listens.
    let handled = (0..5_000).any(|_| sender.message(&uri, "text/plain", b"one") == 200);
    assert!(handled, "{}", program.printed());
    assert_eq!(sender.receive().text(), "1004, you said: one");
    program.expect("1004@127.0.0.1 says one");
}

/// The sender is told to try again while the program is away, and it works when it is back.
#[test]
fn a_program_that_is_away_is_answered_503() {
    let Some(command) = python("socketserver") else { return };
    let port = free_port();
    let (server, mut sender) = server(port, "");
    assert_eq!(sender.message(&server.uri("socket"), "text/plain", b"one"), 503);
    server.process.expect("failed to have `socket 127.0.0.1:");
    let _program = start(command, "plain.py", port);
    assert_eq!(sender.message(&server.uri("socket"), "text/plain", b"two"), 200);
    assert_eq!(sender.receive().text(), "1004, you said: two");
}

/// A program that does not end holds up its own message alone, and that not for ever.
#[test]
fn a_program_that_hangs_costs_its_own_message() {
    let Some(mut python) = python("socketserver") else { return };
    let port = free_port();
    python.args([
        "-c",
        "import socket, sys\nlistener = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n\
        print('listening')\nheld = []\nwhile True: held.append(listener.accept())",
    ]);
    python.arg(port.to_string());
    let program = Driven::start(python);
    program.expect("listening");
    let (server, mut sender) = server(port, r#"<param name="outbound-timeout" value="1"/>"#);
    let mut other = Agent::udp(server.sip(), "1005");
    assert_eq!(other.register(), 200);
    let uri = server.uri("socket");
    let waiting = std::thread::spawn(move || sender.message(&uri, "text/plain", b"one"));
    let mut third = Agent::udp(server.sip(), "1006");
    assert_eq!(third.message(&server.uri("1005"), "text/plain", b"meanwhile"), 200);
    assert_eq!(other.receive().text(), "meanwhile");
    assert_eq!(waiting.join().expect("an answer"), 503);
    server.process.expect("it did not end within 1 s (outbound-timeout)");
}
