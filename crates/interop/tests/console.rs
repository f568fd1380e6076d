//! `chappe console` as a person and as a script meet it: through a pseudo-terminal, through pipes, with profiles.

mod terminal;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use chappe_interop::{Driven, Folder, Server, binary, free_port};
use tempfile::TempDir;
use terminal::Terminal;

const PATIENCE: Duration = Duration::from_secs(15);

/// `chappe console` with a home of its own, and without the surroundings of whoever runs the tests.
fn console(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.arg("console").args(arguments);
    command.env("HOME", home).env("TERM", "xterm").env_remove("NO_COLOR");
    command
}

fn home() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// One command on the server, beside the console that is tested.
fn run(server: &Server, home: &Path, line: &str) -> Output {
    let port = server.folder.event_port.to_string();
    console(home, &["-P", &port, "-x", line]).output().expect("it runs")
}

/// What a script gets that writes `input`.
fn piped(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
    child.wait_with_output().expect("it ends")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[test]
fn a_person_at_a_terminal() {
    let (server, home) = (Server::start(Folder::new()), home());
    let port = server.folder.event_port.to_string();
    let mut terminal = Terminal::start(console(home.path(), &["-P", &port, "-q"]));
    terminal.expect("chappe@");

    terminal.types("hostn\t");
    terminal.expect("hostname");
    terminal.types("\r");
    let name = text(&run(&server, home.path(), "hostname").stdout);
    terminal.expect(name.trim());

    terminal.types("reload\t");
    terminal.expect("reloadacl");
    terminal.expect("reloadxml");
    // Ctrl-U takes the line away.
    terminal.types("\x15/log 7\r");
    terminal.expect("+OK log level 7 [7]");

    // A log line comes while something is being typed, which is there again below it.
    terminal.types("stat");
    terminal.expect("stat");
    assert!(run(&server, home.path(), "log err a line in between").status.success());
    terminal.expect("\x1b[31m");
    terminal.expect("a line in between");
    terminal.expect("stat");
    terminal.types("us\r");
    terminal.expect("UP ");

    terminal.types("/nolog\r");
    terminal.expect("+OK no longer logging");
    terminal.types("/event plain all\r");
    terminal.expect("+OK event listener enabled plain");
    assert!(run(&server, home.path(), "reloadxml").status.success());
    terminal.expect("RECV EVENT");
    terminal.expect("Event-Name: RELOADXML");

    terminal.types("/noevents\r/exit\r");
    assert_eq!(terminal.ended(PATIENCE).code(), Some(0));

    let history = home.path().join(".chappe_history");
    let kept = fs::read_to_string(&history).expect("a history");
    assert!(kept.contains("hostname") && kept.contains("/event plain all"), "{kept}");
    assert_eq!(fs::metadata(&history).expect("a file").permissions().mode() & 0o777, 0o600);
}

#[test]
fn function_keys_and_control_keys() {
    let (server, home) = (Server::start(Folder::new()), home());
    let profile =
        format!("[default]\nport => {}\nquiet => true\nkey_f2 => hostname\n", server.folder.event_port);
    fs::write(home.path().join(".fs_cli_conf"), profile).expect("a writable home");
    let mut terminal = Terminal::start(console(home.path(), &[]));
    terminal.expect("chappe@");
    terminal.types("echo ");
    // F2, as xterm says it.
    terminal.types("\x1bOQ");
    terminal.expect("hostname\r\n");
    let name = text(&run(&server, home.path(), "hostname").stdout);
    terminal.expect(name.trim());
    // What was being typed is there again.
    terminal.expect("echo ");
    terminal.types("still here\r");
    terminal.expect("still here\r\n");
    terminal.expect("chappe@");
    terminal.types("\x03");
    terminal.expect("Type Ctrl-D, /exit, /quit or /bye to leave.");
    // A key that is typed before the line editor has the terminal back means something else.
    terminal.expect("chappe@");
    terminal.types("\x04");
    terminal.expect("/exit");
    assert_eq!(terminal.ended(PATIENCE).code(), Some(0));
}

#[test]
fn a_server_that_ends_ends_the_console() {
    let (server, home) = (Server::start(Folder::new()), home());
    let port = server.folder.event_port.to_string();
    let mut terminal = Terminal::start(console(home.path(), &["-P", &port, "-q"]));
    terminal.expect("chappe@");
    terminal.types("half a comm");
    terminal.expect("half a comm");
    drop(server);
    terminal.expect("the server closed the connection");
    assert_eq!(terminal.ended(PATIENCE).code(), Some(255));
    assert!(terminal.echoes(), "the terminal is left as the line editor had it");
}

#[test]
fn a_server_that_comes_back_is_heard_again() {
    let (server, home) = (Server::start(Folder::new()), home());
    let port = server.folder.event_port.to_string();
    let mut terminal = Terminal::start(console(home.path(), &["-P", &port, "-R", "-l", "err"]));
    terminal.expect("+OK log level err [3]");
    terminal.expect("chappe@");
    let Server { folder, process } = server;
    drop(process);
    terminal.expect("Disconnected: ");
    terminal.types("status\r");
    terminal.expect("not connected; trying to reach");
    let server = Server::start(folder);
    terminal.expect("Connected to 127.0.0.1:");
    terminal.types("status\r");
    terminal.expect("UP ");
    // The log goes on without being asked for.
    assert!(run(&server, home.path(), "log err after the restart").status.success());
    terminal.expect("after the restart");
    terminal.types("/bye\r");
    assert_eq!(terminal.ended(PATIENCE).code(), Some(0));
}

#[test]
fn a_pipe_gets_answers_and_nothing_else() {
    let (server, home) = (Server::start(Folder::new()), home());
    let profile =
        format!("[lab]\nhost => 127.0.0.1\nport => {}\npassword => ClueCon\n", server.folder.event_port);
    fs::write(home.path().join(".fs_cli_conf"), profile).expect("a writable home");
    let name = text(&run(&server, home.path(), "hostname").stdout);
    let output = piped(console(home.path(), &["lab"]), "hostname\n\nnosuch\n/log 3\nhostname");
    assert_eq!(text(&output.stderr), "");
    let lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!((lines[0].as_str(), lines[3].as_str()), (name.trim(), name.trim()));
    assert!(lines[1].starts_with("-ERR nosuch"), "{lines:?}");
    assert_eq!(lines[2], "+OK log level 3 [3]");
    assert_eq!(output.status.code(), Some(0));
    assert!(!home.path().join(".chappe_history").exists());
}

#[test]
fn a_bad_profile_is_told_with_its_line() {
    let home = home();
    let file = home.path().join(".fs_cli_conf");
    fs::write(&file, "[default]\nhsot => x\nport => 99999\ndebug => 9\n").expect("a writable home");
    let output = console(home.path(), &["-x", "status"]).output().expect("it runs");
    let told = text(&output.stderr);
    for line in [":3: port: write a number from 1 to 65535", ":4: debug: write a number from 0 to 7"] {
        assert!(told.contains(&format!("{}{line}", file.display())), "{told}");
    }
    assert_eq!(output.status.code(), Some(1));
    let output = console(home.path(), &["work"]).output().expect("it runs");
    let told = format!("{}: there is no profile `work`; there is default\n", file.display());
    assert!(text(&output.stderr).contains(&told), "{output:?}");
}

#[test]
fn exit_codes_are_those_that_scripts_know() {
    let (server, home) = (Server::start(Folder::new()), home());
    let port = server.folder.event_port.to_string();
    let code = |arguments: &[&str]| console(home.path(), arguments).output().expect("it runs").status.code();
    assert_eq!(code(&["-P", &port, "-x", "status"]), Some(0));
    assert_eq!(code(&["-P", &port, "-x", "nosuch"]), Some(1));
    assert_eq!(code(&["-P", &port, "-p", "wrong", "-x", "status"]), Some(255));
    assert_eq!(code(&["-P", &free_port().to_string(), "-x", "status"]), Some(255));
    let (port, silent) = silent_server();
    assert_eq!(code(&["-P", &port.to_string(), "-t", "50", "-x", "status"]), Some(254));
    silent.join().expect("it ran");
}

#[test]
fn a_server_that_starts_later_is_waited_for() {
    let (folder, home) = (Folder::new(), home());
    let port = folder.event_port.to_string();
    let mut console = Driven::start(console(home.path(), &["-P", &port, "-r", "-x", "status"]));
    console.expect("trying again");
    let _server = Server::start(folder);
    assert_eq!(console.ended(PATIENCE).code(), Some(0));
    console.expect("UP 0 years");
}

/// A server that lets one client in and says nothing more.
fn silent_server() -> (u16, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let accepted =
            "Content-Type: auth/request\n\nContent-Type: command/reply\nReply-Text: +OK accepted\n\n";
        stream.write_all(accepted.as_bytes()).expect("sent");
        for _ in BufReader::new(stream).lines().map_while(Result::ok) {}
    });
    (port, serving)
}
