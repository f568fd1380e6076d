//! Over real sockets on the loopback interface.

mod strangers;

use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chappe_api::{Answer, Call, Command, Registry, Row};
use chappe_event::{Bus, Event, EventName, Identity, LogBus, LogLevel, LogLine, ManualClock};
use chappe_event_socket::client::{Client, ClientError};
use chappe_event_socket::{Applied, EventSocket, EventSocketConfig, EventSocketDeps};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

const PASSWORD: &str = "secret";
const TIME: Duration = Duration::from_secs(20);

struct Server {
    deps: EventSocketDeps,
    socket: EventSocket,
    gate: Arc<Notify>,
}

impl Server {
    fn start() -> Self {
        Self::start_with(config())
    }

    fn start_with(config: EventSocketConfig) -> Self {
        let clock = Arc::new(ManualClock::at(1_000_000));
        let identity = Identity { core_uuid: "core".to_owned(), ..Identity::default() };
        let registry = Arc::new(Registry::new());
        let gate = Arc::new(Notify::new());
        registry.add(Arc::new(Slow(gate.clone())));
        registry.add(Arc::new(Echo));
        let deps = EventSocketDeps {
            bus: Arc::new(Bus::new(Arc::new(identity), clock.clone())),
            registry,
            log_bus: Arc::new(LogBus::new()),
            clock,
            acl: Arc::new(|list, _: IpAddr| list == "loopback.auto"),
            accounts: Arc::new(|_, _| None),
        };
        let socket = EventSocket::new(deps.clone());
        assert_eq!(socket.apply(config).expect("a free port"), Applied::Started);
        Self { deps, socket, gate }
    }

    fn address(&self) -> String {
        self.socket.local_addr().expect("it listens").to_string()
    }

    async fn client(&self) -> Client {
        Client::connect_within(TIME, &self.address(), PASSWORD).await.expect("let in")
    }

    async fn raw(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.expect("connected")
    }

    fn fire(&self, number: usize) {
        let mut event = Event::new(EventName::Message);
        event.add("number", number.to_string());
        self.deps.bus.fire(event);
    }
}

fn config() -> EventSocketConfig {
    EventSocketConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        password: PASSWORD.into(),
        failed_auth_delay: Duration::ZERO,
        ..EventSocketConfig::default()
    }
}

/// A command that ends when it is told to.
struct Slow(Arc<Notify>);

impl Command for Slow {
    fn row(&self) -> &Row {
        &Row { name: "slow", syntax: "", doc: "waits", module: "test" }
    }

    fn run(&self, _: Call<'_>) -> Answer {
        let gate = self.0.clone();
        Answer::Later(Box::pin(async move {
            gate.notified().await;
            "+OK slow\n".to_owned()
        }))
    }
}

struct Echo;

impl Command for Echo {
    fn row(&self) -> &Row {
        &Row { name: "echo", syntax: "<data>", doc: "echoes", module: "test" }
    }

    fn run(&self, call: Call<'_>) -> Answer {
        call.args.into()
    }
}

/// Everything the server says until it closes.
async fn read_to_end(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let reading = stream.read_to_end(&mut text);
    // A reset at the end tells as well that it is over.
    let _ = tokio::time::timeout(TIME, reading).await.expect("the server closes");
    String::from_utf8_lossy(&text).into_owned()
}

async fn event_number(client: &mut Client) -> String {
    let frame = client.next_within(TIME).await.expect("connected").expect("an event");
    let (headers, _) = frame.plain_event();
    headers.into_iter().find(|(name, _)| name == "number").map(|(_, value)| value).unwrap_or_default()
}

#[tokio::test]
async fn commands_are_answered_to_the_octet() {
    let server = Server::start();
    let mut stream = server.raw().await;
    stream
        .write_all(b"auth secret\r\n\r\napi echo a b\n\napi echo\n\napi nope x\n\nexit\n\n")
        .await
        .expect("sent");
    assert_eq!(
        read_to_end(stream).await,
        "Content-Type: auth/request\n\n\
         Content-Type: command/reply\nReply-Text: +OK accepted\n\n\
         Content-Type: api/response\nContent-Length: 3\n\na b\
         Content-Type: api/response\nContent-Length: 14\n\n-ERR no reply\n\
         Content-Type: api/response\nContent-Length: 29\n\n-ERR nope Command not found!\n\
         Content-Type: command/reply\nReply-Text: +OK bye\n\n\
         Content-Type: text/disconnect-notice\nContent-Length: 23\n\nDisconnected, goodbye.\n"
    );
}

#[tokio::test]
async fn forty_commands_in_flight_are_answered_in_order() {
    let server = Server::start();
    let mut stream = server.raw().await;
    let commands: String = (0..40).map(|number| format!("api echo <{number}>\n\n")).collect();
    stream.write_all(format!("auth secret\n\n{commands}exit\n\n").as_bytes()).await.expect("sent");
    let text = read_to_end(stream).await;
    let seen: Vec<_> = text.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect();
    assert_eq!(seen, (0..40).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_slow_command_holds_up_replies_but_not_events() {
    let server = Server::start();
    let mut client = server.client().await;
    client.command("event plain MESSAGE").await.expect("subscribed");
    let mut stream = server.raw().await;
    stream
        .write_all(b"auth secret\n\nevent plain MESSAGE\n\napi slow\n\napi echo after\n\n")
        .await
        .expect("sent");
    read_until(&mut stream, "enabled plain\n\n").await;
    server.fire(7);
    let before = read_until(&mut stream, "number: 7").await;
    assert!(!before.contains("api/response"), "{before}");
    server.gate.notify_one();
    let after = read_until(&mut stream, "after").await;
    assert!(after.contains("+OK slow\nContent-Type: api/response"), "{after}");
    assert_eq!(event_number(&mut client).await, "7");
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut octet = [0; 1];
    while !text.ends_with(end) {
        let read = tokio::time::timeout(TIME, stream.read_exact(&mut octet)).await;
        read.unwrap_or_else(|_| panic!("no {end:?} in {text:?}")).expect("connected");
        text.push(octet[0] as char);
    }
    text
}

#[tokio::test]
async fn events_come_in_three_formats() {
    let server = Server::start();
    for (format, expected) in
        [("plain", "number: 1\n"), ("json", "\"number\":\"1\""), ("xml", "<number>1</number>")]
    {
        let mut client = server.client().await;
        let reply = client.command(&format!("event {format} MESSAGE")).await.expect("subscribed");
        assert_eq!(reply, format!("+OK event listener enabled {format}"));
        server.fire(1);
        let frame = client.next_within(TIME).await.expect("connected").expect("an event");
        assert_eq!(frame.content_type(), format!("text/event-{format}"));
        let text = frame.text().replace("\": \"", "\":\"");
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("Core-UUID"), "{text}");
    }
}

#[tokio::test]
async fn a_sent_event_reaches_the_bus() {
    let server = Server::start();
    let mut client = server.client().await;
    client.command("event plain CUSTOM a::b").await.expect("subscribed");
    let headers = [("Event-Subclass", "a::b"), ("to", "x y")];
    let uuid = client.send_event("CUSTOM", &headers, Some("žluť\n\n".as_bytes())).await.expect("fired");
    let frame = client.next_within(TIME).await.expect("connected").expect("the event");
    let (headers, body) = frame.plain_event();
    let header =
        |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    assert_eq!(header("Event-Name"), Some("CUSTOM"));
    assert_eq!(header("Command"), Some("sendevent CUSTOM"));
    assert_eq!(header("to"), Some("x y"));
    assert_eq!(header("Event-UUID"), Some(uuid.as_str()));
    assert_eq!(body, "žluť\n\n");
}

#[tokio::test]
async fn a_background_job_ends_in_an_event() {
    let server = Server::start();
    let mut client = server.client().await;
    client.command("event plain BACKGROUND_JOB").await.expect("subscribed");
    let reply = client.command("bgapi echo a b").await.expect("started");
    let job = reply.strip_prefix("+OK Job-UUID: ").expect("a job").to_owned();
    let frame = client.next_within(TIME).await.expect("connected").expect("the event");
    let (headers, body) = frame.plain_event();
    assert!(headers.contains(&("Job-UUID".to_owned(), job)), "{headers:?}");
    assert!(headers.contains(&("Job-Command".to_owned(), "echo".to_owned())), "{headers:?}");
    assert!(headers.contains(&("Job-Command-Arg".to_owned(), "a b".to_owned())), "{headers:?}");
    assert_eq!(body, "a b");
}

#[tokio::test]
async fn log_lines_come_up_to_the_level() {
    let server = Server::start();
    let mut client = server.client().await;
    client.command("log info").await.expect("subscribed");
    assert_eq!(server.deps.log_bus.max_level(), Some(LogLevel::Info));
    for (level, clean) in [(LogLevel::Debug, false), (LogLevel::Info, false), (LogLevel::Err, true)] {
        server.deps.log_bus.send(LogLine {
            level,
            clean,
            file: "mod_sms.c".into(),
            func: "hunt".into(),
            line: 371,
            text: format!("a line of {level}"),
            user_data: clean.then(|| "call".to_owned()),
            ..LogLine::default()
        });
    }
    let info = client.next_within(TIME).await.expect("connected").expect("a line");
    assert_eq!(info.content_type(), "log/data");
    let header = |name| info.header(name).unwrap_or("missing");
    assert_eq!(
        ["Log-Level", "Text-Channel", "Log-File", "Log-Func", "Log-Line", "User-Data"].map(header),
        ["6", "0", "mod_sms.c", "hunt", "371", ""]
    );
    assert!(info.text().ends_with("[INFO] mod_sms.c:371 a line of INFO\n"), "{}", info.text());
    let error = client.next_within(TIME).await.expect("connected").expect("a line");
    assert_eq!(error.text(), "a line of ERR\n");
    assert_eq!((error.header("Text-Channel"), error.header("User-Data")), (Some("1"), Some("call")));
    client.command("nolog").await.expect("unsubscribed");
    assert_eq!(server.deps.log_bus.max_level(), None);
}

#[tokio::test]
async fn a_client_that_left_is_forgotten() {
    let server = Server::start();
    let mut client = server.client().await;
    client.command("event plain ALL").await.expect("subscribed");
    assert!(server.deps.bus.wanted(EventName::Message, None));
    let mut watcher = server.raw().await;
    client.command("exit").await.expect("bye");
    while server.deps.bus.wanted(EventName::Message, None) {
        tokio::task::yield_now().await;
    }
    watcher.shutdown().await.expect("shut down");
    while server.socket.connections() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_slow_reader_is_told_what_it_missed() {
    let server = Server::start_with(EventSocketConfig { max_queue_len: 10, ..config() });
    let mut client = server.client().await;
    client.command("event plain MESSAGE CUSTOM event_socket::missed").await.expect("subscribed");
    // On this runtime of one thread nobody writes while these are fired.
    for number in 0..30 {
        server.fire(number);
    }
    for number in 0..10 {
        assert_eq!(event_number(&mut client).await, number.to_string());
    }
    let frame = client.next_within(TIME).await.expect("connected").expect("an event");
    let (headers, _) = frame.plain_event();
    assert!(
        headers.contains(&("Event-Subclass".to_owned(), "event_socket::missed".to_owned())),
        "{headers:?}"
    );
    assert!(headers.contains(&("Missed-Events".to_owned(), "20".to_owned())), "{headers:?}");
    server.fire(30);
    assert_eq!(event_number(&mut client).await, "30");
}

#[tokio::test]
async fn a_reader_that_takes_nothing_costs_a_bounded_queue() {
    let server = Server::start_with(EventSocketConfig { max_queue_len: 100, ..config() });
    let mut stuck = server.raw().await;
    stuck.write_all(b"auth secret\n\nevent plain MESSAGE\n\n").await.expect("sent");
    read_until(&mut stuck, "enabled plain\n\n").await;
    let mut client = server.client().await;
    client.command("event plain MESSAGE").await.expect("subscribed");
    for number in 0..20_000 {
        server.fire(number);
        if number % 50 == 0 {
            tokio::task::yield_now().await;
        }
    }
    // The other client, and the server, go on.
    assert_eq!(client.api("echo alive").await.expect("an answer"), "alive");
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let server = Server::start();
    let wrong = Client::connect_within(TIME, &server.address(), "wrong").await;
    assert!(matches!(wrong, Err(ClientError::WrongPassword)));
    let mut stream = server.raw().await;
    stream.write_all(b"auth wrong\n\n").await.expect("sent");
    let text = read_to_end(stream).await;
    assert!(text.contains("Reply-Text: -ERR invalid\n\nContent-Type: text/disconnect-notice"), "{text}");
}

#[tokio::test]
async fn an_address_the_acl_does_not_allow_is_rejected() {
    let server = Server::start_with(EventSocketConfig { acl: vec!["nobody".to_owned()], ..config() });
    let text = read_to_end(server.raw().await).await;
    assert_eq!(text, "Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n");
    let rejected = Client::connect_within(TIME, &server.address(), PASSWORD).await;
    assert!(matches!(rejected, Err(ClientError::Rejected(text)) if text == "Access Denied, go away."));
}

#[tokio::test]
async fn unauthenticated_clients_are_limited() {
    let server = Server::start_with(EventSocketConfig { max_unauthenticated: 1, ..config() });
    let mut first = server.raw().await;
    read_until(&mut first, "auth/request\n\n").await;
    let text = read_to_end(server.raw().await).await;
    assert!(text.contains("Too many connections."), "{text}");
    first.write_all(b"auth secret\n\n").await.expect("sent");
    read_until(&mut first, "+OK accepted\n\n").await;
    assert_eq!(server.client().await.api("echo in").await.expect("an answer"), "in");
}

#[tokio::test]
async fn a_client_without_a_password_is_sent_away() {
    let server = Server::start_with(EventSocketConfig { auth_timeout: Duration::from_millis(1), ..config() });
    let text = read_to_end(server.raw().await).await;
    assert!(text.contains("text/disconnect-notice"), "{text}");
}

#[tokio::test]
async fn bad_input_is_bounded() {
    let server = Server::start();
    let long = [b"auth secret\n\n".as_slice(), &vec![b'a'; 3 * 1024 * 1024]].concat();
    let blank =
        [b"auth secret\n\n".as_slice(), &b"\r\n".repeat(10_000), b"api echo alive\n\nexit\n\n"].concat();
    for (input, expected) in [
        (
            b"auth secret\n\nsendevent X\nContent-Length: 104857600\n\n".as_slice(),
            "-ERR command parse error.",
        ),
        (b"auth secret\n\nsendevent X\nContent-Length: -5\n\n", "-ERR command parse error."),
        (&long, "-ERR command parse error."),
        (&vec![b'a'; 5_000], "-ERR command parse error."),
        (b"x\nContent-Length: 1\n\n", "-ERR command parse error."),
        (b"auth secret\n\n\0\0\n\nexit\n\n", "-ERR command not found"),
        (b"\xff\xfe\n\nauth secret\n\nexit\n\n", "+OK accepted"),
        (&blank, "alive"),
    ] {
        let (mut reader, mut writer) = server.raw().await.into_split();
        let sending = async {
            // The server may close before it took everything.
            let _ = writer.write_all(input).await;
        };
        let mut text = Vec::new();
        let reading = async {
            let _ =
                tokio::time::timeout(TIME, reader.read_to_end(&mut text)).await.expect("the server closes");
        };
        tokio::join!(sending, reading);
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let mut half = server.raw().await;
    half.write_all(b"auth secret\n\nsendevent X\nContent-Length: 10\n\nhal").await.expect("sent");
    drop(half);
    assert_eq!(server.client().await.api("echo alive").await.expect("an answer"), "alive");
}

#[tokio::test]
async fn a_new_configuration_is_compared_and_applied() {
    let server = Server::start();
    let mut before = server.client().await;
    assert_eq!(server.socket.apply(config()).expect("applied"), Applied::Unchanged);
    let other = EventSocketConfig { password: "other".into(), ..config() };
    assert_eq!(server.socket.apply(other.clone()).expect("applied"), Applied::Changed);
    assert!(Client::connect_within(TIME, &server.address(), PASSWORD).await.is_err());
    assert!(Client::connect_within(TIME, &server.address(), "other").await.is_ok());
    let occupant = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = occupant.local_addr().expect("an address");
    assert!(server.socket.apply(EventSocketConfig { listen: taken, ..other.clone() }).is_err());
    assert!(Client::connect_within(TIME, &server.address(), "other").await.is_ok());
    let moved = EventSocketConfig { listen: ([127, 0, 0, 2], 0).into(), ..other };
    assert_eq!(server.socket.apply(moved).expect("applied"), Applied::Moved);
    assert!(server.address().starts_with("127.0.0.2:"));
    assert!(Client::connect_within(TIME, &server.address(), "other").await.is_ok());
    assert_eq!(before.api("echo still here").await.expect("an answer"), "still here");
}

#[tokio::test]
async fn every_address_means_both_families() {
    let server =
        Server::start_with(EventSocketConfig { listen: "[::]:0".parse().expect("an address"), ..config() });
    let port = server.socket.local_addr().expect("it listens").port();
    let mut client =
        Client::connect_within(TIME, &format!("127.0.0.1:{port}"), PASSWORD).await.expect("let in");
    assert_eq!(client.api("echo over IPv4").await.expect("an answer"), "over IPv4");
}

#[tokio::test]
async fn a_closed_address_can_be_had_at_once() {
    let server = Server::start();
    let mut client = server.client().await;
    let listen = server.socket.local_addr().expect("it listens");
    server.socket.close();
    let again = Server::start_with(EventSocketConfig { listen, ..config() });
    assert_eq!(again.client().await.api("echo new").await.expect("an answer"), "new");
    assert_eq!(client.api("echo old").await.expect("an answer"), "old");
}

#[tokio::test]
async fn stopping_tells_everybody() {
    let server = Server::start();
    let mut stream = server.raw().await;
    read_until(&mut stream, "auth/request\n\n").await;
    server.socket.stop().await;
    assert!(read_to_end(stream).await.contains("The system is being shut down."));
    assert!(server.socket.local_addr().is_none());
}

#[tokio::test]
async fn a_server_that_says_nothing_is_a_timeout() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let silent = tokio::spawn(async move {
        let _open = listener.accept().await;
        pending::<()>().await;
    });
    let connected = Client::connect_within(Duration::from_millis(10), &address, PASSWORD).await;
    assert!(matches!(connected, Err(ClientError::TimedOut(_))));
    silent.abort();
    let nobody = Client::connect_within(TIME, "127.0.0.1:1", PASSWORD).await;
    assert!(matches!(nobody, Err(ClientError::Connect { .. })));
}

#[tokio::test]
async fn a_job_can_be_started_by_an_api_command() {
    let server = Server::start();
    let mut client = server.client().await;
    client.command("event plain BACKGROUND_JOB").await.expect("subscribed");
    assert_eq!(client.api("bgapi uuid:mine echo a").await.expect("started"), "+OK Job-UUID: mine\n");
    let frame = client.next_within(TIME).await.expect("connected").expect("the event");
    let (headers, body) = frame.plain_event();
    assert!(headers.contains(&("Job-UUID".to_owned(), "mine".to_owned())), "{headers:?}");
    assert_eq!(body, "a");
    assert_eq!(client.api("bgapi").await.expect("refused"), "-ERR Invalid syntax\n");
    assert_eq!(client.api("bgapi uuid:mine").await.expect("refused"), "-ERR Invalid syntax\n");
}

#[tokio::test]
async fn a_browser_can_not_be_made_to_give_commands() {
    let server = Server::start();
    let mut stream = server.raw().await;
    let request =
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nauth secret\n\napi echo done\n\n";
    stream.write_all(request.as_bytes()).await.expect("sent");
    assert_eq!(
        read_to_end(stream).await,
        "Content-Type: auth/request\n\n\
         Content-Type: text/disconnect-notice\nContent-Length: 23\n\nDisconnected, goodbye.\n"
    );
}
