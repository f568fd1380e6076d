//! Conversations with a server that says what the test has it say.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use chappe_console::Options;
use chappe_console::completion::Completion;
use chappe_console::connection::Retry;
use chappe_console::profile::Profile;
use chappe_console::screen::screen;
use chappe_console::session::{Answer, End, Handle, Inputs, Session};
use chappe_console::settings::{Settings, Surroundings};
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(10);

const SOON: Retry = Retry { tries: 3, pause: Duration::from_millis(1) };
const NEVER: Retry = Retry { tries: 1, pause: Duration::from_secs(3600) };

/// The server's end of a connection that was let in.
struct Peer {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Peer {
    fn accept(listener: &TcpListener) -> Self {
        let mut peer = Self::greet(listener);
        peer.hears("auth ClueCon");
        peer.replies("+OK accepted");
        peer
    }

    fn greet(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().expect("a client");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let lines = BufReader::new(stream.try_clone().expect("a second handle"));
        let mut peer = Self { stream, lines };
        peer.says("Content-Type: auth/request\n\n");
        peer
    }

    fn says(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).expect("sent");
    }

    fn replies(&mut self, text: &str) {
        self.says(&format!("Content-Type: command/reply\nReply-Text: {text}\n\n"));
    }

    fn answers(&mut self, text: &str) {
        self.frame("Content-Type: api/response", text);
    }

    fn logs(&mut self, level: u8, text: &str) {
        self.frame(&format!("Content-Type: log/data\nLog-Level: {level}"), text);
    }

    fn frame(&mut self, headers: &str, body: &str) {
        self.says(&format!("{headers}\nContent-Length: {}\n\n{body}", body.len()));
    }

    #[track_caller]
    fn hears(&mut self, expected: &str) {
        let mut command = Vec::new();
        loop {
            let mut line = String::new();
            self.lines.read_line(&mut line).expect("a command");
            match line.trim_end() {
                "" => break,
                line => command.push(line.to_owned()),
            }
        }
        assert_eq!(command.join("\n"), expected);
    }
}

/// A session on a thread of its own, and everything it is joined to.
struct Conversation {
    listener: TcpListener,
    peer: Peer,
    handle: Handle,
    interrupts: mpsc::Sender<()>,
    shown: Receiver<String>,
    running: JoinHandle<End>,
}

fn start(options: Options, again: Option<Retry>) -> Conversation {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let profile = Profile { port, ..Profile::default() };
    let terminal = Surroundings { stdout_is_terminal: true, ..Surroundings::default() };
    let settings = Settings::new(&options, profile, terminal);
    let (handle, requests) = Handle::new();
    let (interrupts, interrupted) = mpsc::channel(1);
    let (screen, texts) = screen();
    let (showing, shown) = channel();
    spawn(move || texts.print(|text| showing.send(text).map_err(std::io::Error::other)));
    let running = spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let client = settings.target().connect().await.expect("let in");
            let mut session = Session::new(&settings, screen);
            if let Some(again) = again {
                session = session.reconnecting(again);
            }
            let mut inputs = Inputs { requests, interrupts: interrupted };
            session.run(client, settings.log_command().as_deref(), &mut inputs).await
        })
    });
    let peer = Peer::accept(&listener);
    Conversation { listener, peer, handle, interrupts, shown, running }
}

fn plain() -> Conversation {
    start(Options::default(), None)
}

impl Conversation {
    /// Types a line; its answer comes by and by.
    fn types(&self, line: &'static str) -> JoinHandle<Answer> {
        let handle = self.handle.clone();
        spawn(move || handle.line(line))
    }

    #[track_caller]
    fn shows(&self, expected: &str) {
        assert_eq!(self.shown.recv_timeout(PATIENCE).expect("a text"), expected);
    }

    fn end(self) -> End {
        drop(self.handle);
        self.running.join().expect("it ran")
    }
}

#[track_caller]
fn text(asked: JoinHandle<Answer>) -> String {
    let answer = asked.join().expect("it ran");
    assert!(!answer.leave);
    answer.text
}

#[test]
fn a_command_and_its_answer() {
    let mut console = plain();
    let asked = console.types("  sofia status ");
    console.peer.hears("api sofia status\nconsole_execute: true");
    console.peer.answers("internal\x1b[2J RUNNING");
    assert_eq!(text(asked), "internal\\x1b[2J RUNNING\n");
    let asked = console.types("/exit");
    assert!(asked.join().expect("it ran").leave);
    assert!(matches!(console.end(), End::Left));
}

#[test]
fn the_log_goes_on_while_an_answer_is_awaited() {
    let mut console = start(Options { loglevel: Some("7".into()), ..Options::default() }, None);
    console.peer.hears("log 7");
    console.peer.replies("+OK log level 7 [7]");
    console.shows("+OK log level 7 [7]\n");
    let asked = console.types("slow");
    console.peer.hears("api slow\nconsole_execute: true");
    console.peer.logs(3, "broken \x07pipe\n");
    console.shows("\x1b[31mbroken \\x07pipe\x1b[0m\n");
    console.peer.answers("done\n");
    assert_eq!(text(asked), "done\n");
}

#[test]
fn log_lines_are_filtered_by_text() {
    let mut console = plain();
    assert_eq!(text(console.types("/logfilter sip")), "Logfilter enabled\n");
    console.peer.logs(0, "sms: no\n");
    console.peer.logs(0, "sip: yes\n");
    console.shows("sip: yes\n");
    assert_eq!(text(console.types("/logfilter")), "Logfilter disabled\n");
}

#[test]
fn events_are_shown() {
    let mut console = plain();
    let asked = console.types("/event plain all");
    console.peer.hears("event plain all");
    console.peer.replies("+OK event listener enabled plain");
    assert_eq!(text(asked), "+OK event listener enabled plain\n");
    console.peer.frame("Content-Type: text/event-plain", "Event-Name: MESSAGE\nfrom: %1B%5B0m\n\n");
    console.shows("RECV EVENT\nEvent-Name: MESSAGE\nfrom: \\x1b[0m\n");
}

#[test]
fn what_the_console_knows_needs_no_server() {
    let console = plain();
    assert!(text(console.types("/help")).contains("/nixevent"));
    assert_eq!(text(console.types("/nosuch x")), "Unknown command [nosuch x]\n");
    assert_eq!(text(console.types("/debug 9")), "console debug level must be 0 - 7\n");
    assert!(text(console.types("/uuid abc")).starts_with("UUID filtering enabled."));
    assert_eq!(text(console.types("   ")), "");
}

#[test]
fn console_loglevel_is_for_this_console_too() {
    let mut console = plain();
    let asked = console.types("console loglevel 4");
    console.peer.hears("log 4");
    console.peer.replies("+OK log level 4 [4]");
    console.peer.hears("api console loglevel 4\nconsole_execute: true");
    console.peer.answers("+OK console log level set to WARNING\n");
    assert_eq!(text(asked), "+OK console log level set to WARNING\n");
    console.shows("+OK log level 4 [4]\n");
}

#[test]
fn the_server_completes() {
    let mut console = plain();
    let handle = console.handle.clone();
    let asked = spawn(move || handle.complete("sofia st"));
    console.peer.hears("api console_complete c=8;sofia st");
    console.peer.answers("\n\n[              status]\t\n\nwrite=2:status ");
    let expected = Completion { start: 6, words: vec!["status ".into()] };
    assert_eq!(asked.join().expect("it ran"), expected);
    assert_eq!(console.handle.complete("/noe").words, ["/noevents"]);
}

#[test]
fn an_answer_that_comes_too_late_is_shown() {
    let mut console = start(Options { timeout: Some(20), ..Options::default() }, None);
    let asked = console.types("slow");
    console.peer.hears("api slow\nconsole_execute: true");
    assert_eq!(text(asked), "Request timed out: no answer within 20 ms.\n");
    console.peer.answers("late");
    console.shows("late\n");
    let asked = console.types("/nolog");
    console.peer.hears("nolog");
    console.peer.replies("-ERR not loging");
    assert_eq!(text(asked), "-ERR not loging\n");
}

#[test]
fn ctrl_c_ends_the_waiting_and_not_the_console() {
    let mut console = plain();
    let asked = console.types("slow");
    console.peer.hears("api slow\nconsole_execute: true");
    console.interrupts.blocking_send(()).expect("a session");
    assert_eq!(text(asked), "No longer waiting; the answer is shown when it comes.\n");
    console.peer.answers("late");
    console.shows("late\n");
    assert!(matches!(console.end(), End::Left));
}

#[test]
fn ctrl_c_ends_the_console_if_it_may() {
    let console = start(Options { interrupt: true, ..Options::default() }, None);
    console.interrupts.blocking_send(()).expect("a session");
    assert!(matches!(console.running.join().expect("it ran"), End::Interrupted));
}

#[test]
fn a_lost_server_ends_the_session() {
    let mut console = plain();
    let asked = console.types("status");
    console.peer.hears("api status\nconsole_execute: true");
    let Conversation { peer, handle, running, .. } = console;
    drop(peer);
    assert!(matches!(running.join().expect("it ran"), End::Lost(_)));
    let answer = asked.join().expect("it ran");
    assert!(answer.leave || !answer.text.is_empty());
    assert!(handle.is_over() && handle.line("status").leave);
}

#[test]
fn a_notice_is_an_end_as_well() {
    let mut console = plain();
    console.peer.frame("Content-Type: text/disconnect-notice", "Disconnected, goodbye.\n");
    assert!(matches!(console.running.join().expect("it ran"), End::Lost(_)));
}

#[test]
fn a_new_connection_hears_what_the_old_one_heard() {
    let mut console = start(Options { loglevel: Some("3".into()), ..Options::default() }, Some(SOON));
    console.peer.hears("log 3");
    console.peer.replies("+OK log level 3 [3]");
    console.shows("+OK log level 3 [3]\n");
    let asked = console.types("/event plain MESSAGE");
    console.peer.hears("event plain MESSAGE");
    console.peer.replies("+OK event listener enabled plain");
    text(asked);
    let asked = console.types("/event plain NOSUCH");
    console.peer.hears("event plain NOSUCH");
    console.peer.replies("-ERR no keywords supplied");
    text(asked);
    console.peer.stream.shutdown(std::net::Shutdown::Both).expect("a connection");
    let mut peer = Peer::accept(&console.listener);
    peer.hears("log 3");
    peer.hears("event plain MESSAGE");
    peer.replies("+OK log level 3 [3]");
    peer.replies("+OK event listener enabled plain");
    let address = console.listener.local_addr().expect("an address");
    let lost = console.shown.recv_timeout(PATIENCE).expect("news");
    assert!(lost.starts_with("Disconnected: ") && lost.contains(&address.to_string()), "{lost}");
    console.shows(&format!("Connected to {address} again.\n"));
    let asked = console.types("status");
    peer.hears("api status\nconsole_execute: true");
    peer.answers("UP\n");
    assert_eq!(text(asked), "UP\n");
}

#[test]
fn without_a_connection_there_is_an_answer_all_the_same() {
    let console = start(Options::default(), Some(NEVER));
    console.peer.stream.shutdown(std::net::Shutdown::Both).expect("a connection");
    let lost = console.shown.recv_timeout(PATIENCE).expect("news");
    assert!(lost.starts_with("Disconnected: "), "{lost}");
    assert!(text(console.types("status")).starts_with("not connected; trying to reach 127.0.0.1:"));
    assert_eq!(console.handle.complete("st"), Completion::default());
    assert!(console.types("/exit").join().expect("it ran").leave);
    assert!(matches!(console.end(), End::Left));
}

#[test]
fn a_changed_password_is_not_tried_again() {
    let console = start(Options::default(), Some(SOON));
    console.peer.stream.shutdown(std::net::Shutdown::Both).expect("a connection");
    let mut peer = Peer::greet(&console.listener);
    peer.hears("auth ClueCon");
    peer.replies("-ERR invalid");
    assert!(matches!(console.running.join().expect("it ran"), End::Lost(_)));
}

#[test]
fn pasted_line_breaks_harm_nobody() {
    let mut console = plain();
    assert_eq!(text(console.types("status\n\nexit")), "a command can't hold a line break\n");
    let asked = console.types("status");
    console.peer.hears("api status\nconsole_execute: true");
    console.peer.answers("UP");
    assert_eq!(text(asked), "UP\n");
}
