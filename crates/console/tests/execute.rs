//! One command, over a socket, against a server of a few lines.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread::{JoinHandle, spawn};

use chappe_console::{ConsoleError, execute};
use chappe_event_socket::client::ClientError;

/// Takes one client, sends the first text at once and each further one after a command; gives the commands it got.
fn server(texts: Vec<&'static str>) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
        let mut commands = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            if number > 0 {
                let command: Vec<String> =
                    lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                commands.push(command.join("\n"));
            }
            stream.write_all(text.as_bytes()).expect("sent");
        }
        commands
    });
    (address, serving)
}

const GREETING: &str = "Content-Type: auth/request\n\n";
const ACCEPTED: &str = "Content-Type: command/reply\nReply-Text: +OK accepted\n\n";

#[test]
fn the_answer_comes_back() {
    let answer = "Content-Type: api/response\nContent-Length: 9\n\nUP 0 years";
    let (address, serving) = server(vec![GREETING, ACCEPTED, answer]);
    let text = execute(&address.to_string(), "secret", "status all").expect("an answer");
    assert_eq!(text, "UP 0 year");
    let commands = serving.join().expect("it ran");
    assert_eq!(commands, ["auth secret", "api status all\nconsole_execute: true"]);
}

#[test]
fn failures_say_what_to_look_at() {
    let refused = "Content-Type: command/reply\nReply-Text: -ERR invalid\n\n";
    let rude = "Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n";
    for (texts, expected) in [
        (vec![GREETING, refused], "wrong password"),
        (vec![rude], "this host is not let in: Access Denied, go away."),
        (vec!["HTTP/1.0 400 Bad Request\n\n"], "is no event socket"),
        (vec![GREETING, ACCEPTED], "the server closed the connection"),
    ] {
        let (address, serving) = server(texts);
        let error = execute(&address.to_string(), "secret", "status").expect_err("no answer");
        assert!(error.to_string().contains(expected), "{error}");
        serving.join().expect("it ran");
    }
    let error = execute("127.0.0.1:1", "secret", "status").expect_err("nobody listens");
    assert!(error.to_string().starts_with("connect to 127.0.0.1:1: "), "{error}");
}

#[test]
fn a_command_is_one_line() {
    let (address, serving) = server(vec![GREETING, ACCEPTED]);
    let error = execute(&address.to_string(), "secret", "status\n\nexit").expect_err("two lines");
    assert!(matches!(error, ConsoleError::Client(ClientError::LineBreak)));
    serving.join().expect("it ran");
}
