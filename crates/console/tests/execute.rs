//! One command, over a socket, against a server of a few lines.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use chappe_console::connection::{Retry, Target};
use chappe_console::execute::execute;
use chappe_event_socket::client::ClientError;

const NOW: Retry = Retry { tries: 3, pause: Duration::ZERO };

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

fn target(address: SocketAddr, user: Option<&str>) -> Target {
    Target {
        address: address.to_string(),
        user: user.map(str::to_owned),
        password: "secret".into(),
        time: Duration::from_secs(10),
    }
}

fn ask(target: &Target, command: &str, time: Option<Duration>) -> Result<String, ClientError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut client = target.connect_again(NOW, |_| ()).await?;
        execute(&mut client, command, time).await
    })
}

#[test]
fn the_answer_comes_back() {
    let answer = "Content-Type: api/response\nContent-Length: 9\n\nUP 0 years";
    let (address, serving) = server(vec![GREETING, ACCEPTED, answer]);
    assert_eq!(ask(&target(address, None), "status all", None).expect("an answer"), "UP 0 year");
    let commands = serving.join().expect("it ran");
    assert_eq!(commands, ["auth secret", "api status all\nconsole_execute: true"]);
}

#[test]
fn users_of_the_directory_log_in_by_name() {
    let refused = "Content-Type: command/reply\nReply-Text: -ERR command not allowed\n\n";
    let (address, serving) = server(vec![GREETING, ACCEPTED, refused]);
    let answer = ask(&target(address, Some("1000@chat.test")), "shutdown", None).expect("an answer");
    assert_eq!(answer, "-ERR command not allowed");
    assert_eq!(serving.join().expect("it ran")[0], "userauth 1000@chat.test:secret");
}

#[test]
fn failures_say_what_to_look_at() {
    let refused = "Content-Type: command/reply\nReply-Text: -ERR invalid\n\n";
    let rude = "Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n";
    for (texts, expected) in [
        // One try alone: the server above takes no second client.
        (vec![GREETING, refused], "wrong password"),
        (vec![GREETING, ACCEPTED], "the server closed the connection"),
    ] {
        let (address, serving) = server(texts);
        let error = ask(&target(address, None), "status", None).expect_err("no answer");
        assert!(error.to_string().contains(expected), "{error}");
        serving.join().expect("it ran");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for (texts, expected) in [
        (vec![rude], "this host is not let in: Access Denied, go away."),
        (vec!["HTTP/1.0 400 Bad Request\n\n"], "is no event socket"),
    ] {
        let (address, serving) = server(texts);
        let error = runtime.block_on(target(address, None).connect()).err().expect("no connection");
        assert!(error.to_string().contains(expected), "{error}");
        serving.join().expect("it ran");
    }
}

#[test]
fn a_server_that_is_not_there_is_tried_again() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut told = 0;
    let error = runtime.block_on(target(nobody, None).connect_again(NOW, |_| told += 1)).err();
    assert!(error.expect("nobody listens").to_string().starts_with("connect to 127.0.0.1:1: "));
    assert_eq!(told, 2);
}

#[test]
fn there_is_an_end_to_waiting() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        stream.write_all(format!("{GREETING}{ACCEPTED}").as_bytes()).expect("sent");
        // Until the client has gone.
        for _ in BufReader::new(stream).lines().map_while(Result::ok) {}
    });
    let error =
        ask(&target(address, None), "status", Some(Duration::from_millis(20))).expect_err("no answer");
    assert!(matches!(error, ClientError::TimedOut(_)), "{error}");
    serving.join().expect("it ran");
}

#[test]
fn a_command_is_one_line() {
    let (address, serving) = server(vec![GREETING, ACCEPTED]);
    let error = ask(&target(address, None), "status\n\nexit", None).expect_err("two lines");
    assert!(matches!(error, ClientError::LineBreak));
    serving.join().expect("it ran");
}
