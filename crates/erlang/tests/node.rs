//! Over real sockets on the loopback interface, with the other side of the protocol's library as the peer.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chappe_api::{Answer, Call, Command, Registry, Row};
use chappe_config::{Bindings, Section, XmlQuery};
use chappe_erlang::wire::{self, WireError};
use chappe_erlang::{CookieSource, Encoding, ErlangConfig, ErlangDeps, ErlangNode};
use chappe_event::{Bus, Event, EventName, Identity, LogBus, LogLevel, LogLine, ManualClock};
use eetf::{Atom, List, Pid, Term, Tuple};
use erl_dist::handshake::{ClientSideHandshake, HandshakeError};
use erl_dist::message::Message;
use erl_dist::node::{Creation, LocalNode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::compat::TokioAsyncReadCompatExt as _;

const COOKIE: &str = "monster";
const TIME: Duration = Duration::from_secs(20);

struct Server {
    deps: ErlangDeps,
    node: ErlangNode,
    gate: Arc<Notify>,
}

impl Server {
    fn start() -> Self {
        Self::start_with(config(), ([127, 0, 0, 1], 1).into())
    }

    fn start_with(config: ErlangConfig, epmd: std::net::SocketAddr) -> Self {
        let clock = Arc::new(ManualClock::at(1_000_000));
        let registry = Arc::new(Registry::new());
        let gate = Arc::new(Notify::new());
        registry.add(Arc::new(Slow(gate.clone())));
        registry.add(Arc::new(Echo));
        let deps = ErlangDeps {
            bus: Arc::new(Bus::new(Arc::new(Identity::default()), clock)),
            registry,
            log_bus: Arc::new(LogBus::new()),
            bindings: Arc::new(Bindings::default()),
            runtime: tokio::runtime::Handle::current(),
            acl: Arc::new(|list, _: IpAddr| list == "loopback.auto"),
            hostname: "box".to_owned(),
            epmd,
        };
        let node = ErlangNode::new(deps.clone());
        node.apply(config).expect("a free port");
        Self { deps, node, gate }
    }

    async fn raw(&self) -> TcpStream {
        TcpStream::connect(self.node.local_addr().expect("it listens")).await.expect("connected")
    }

    async fn peer(&self, name: &str) -> Peer {
        Peer::shake(self.raw().await, name, COOKIE).await.expect("let in")
    }

    fn fire(&self, number: usize) {
        let mut event = Event::new(EventName::Message);
        event.add("number", number.to_string());
        self.deps.bus.fire(event);
    }
}

fn config() -> ErlangConfig {
    ErlangConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        cookie: CookieSource::Text(COOKIE.into()),
        encoding: Encoding::Binary,
        ..ErlangConfig::default()
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
            "+OK slow".to_owned()
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

/// A node with one process.
struct Peer {
    stream: TcpStream,
    own: Pid,
}

impl Peer {
    async fn shake(stream: TcpStream, name: &str, cookie: &str) -> Result<Self, HandshakeError> {
        let local = LocalNode::new(format!("{name}@localhost").parse().expect("a name"), Creation::new(7));
        let own = Pid { node: Atom::from(local.name.to_string()), id: 1, serial: 0, creation: 7 };
        let mut handshake = ClientSideHandshake::new(stream.compat(), local, cookie);
        handshake.execute_send_name(erl_dist::LOWEST_DISTRIBUTION_PROTOCOL_VERSION).await?;
        let (stream, _) = handshake.execute_rest(true).await?;
        Ok(Self { stream: stream.into_inner(), own })
    }

    async fn tell(&mut self, message: Message) {
        let octets = wire::encode(message).expect("encoded");
        self.stream.write_all(&octets).await.expect("sent");
    }

    async fn send(&mut self, term: Term) {
        self.tell(Message::reg_send(self.own.clone(), Atom::from("any"), term)).await;
    }

    /// The next message, ticks aside.
    async fn next(&mut self) -> Result<Message, WireError> {
        loop {
            match timeout(TIME, wire::read(&mut self.stream)).await.expect("something comes")? {
                Some(Message::Tick) | None => {}
                Some(message) => return Ok(message),
            }
        }
    }

    /// The next message for the process, as Erlang writes it.
    async fn receive(&mut self) -> String {
        loop {
            match self.next().await.expect("connected") {
                Message::Send(sent) => {
                    assert_eq!(sent.to_pid, self.own);
                    return shown(&sent.message);
                }
                Message::Link(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn ask(&mut self, term: Term) -> String {
        self.send(term).await;
        self.receive().await
    }

    /// That the server ends the connection.
    async fn until_closed(mut self) {
        while self.next().await.is_ok() {}
    }
}

/// Binaries as texts.
fn shown(term: &Term) -> String {
    match term {
        Term::Binary(binary) => format!("{:?}", String::from_utf8_lossy(&binary.bytes)),
        Term::Atom(atom) => atom.name.clone(),
        Term::Tuple(tuple) => {
            format!("{{{}}}", tuple.elements.iter().map(shown).collect::<Vec<_>>().join(","))
        }
        Term::List(list) => format!("[{}]", list.elements.iter().map(shown).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

fn atom(name: &str) -> Term {
    Term::from(Atom::from(name))
}

fn text(text: &str) -> Term {
    Term::from(text.to_owned())
}

fn tuple(elements: &[Term]) -> Term {
    Term::from(Tuple::from(elements.to_vec()))
}

#[tokio::test]
async fn commands_are_answered() {
    let server = Server::start();
    let mut peer = server.peer("a").await;
    assert_eq!(peer.ask(tuple(&[atom("api"), atom("echo"), text("žluť")])).await, "{ok,\"žluť\"}");
    assert_eq!(
        peer.ask(tuple(&[atom("api"), atom("nope"), text("")])).await,
        "{error,\"-ERR nope Command not found!\n\"}".escape_debug().to_string().replace("\\\"", "\"")
    );
    assert_eq!(
        peer.ask(tuple(&[atom("api"), atom("echo"), text("")])).await,
        "{error,\"Command returned no output!\"}"
    );
    assert_eq!(peer.ask(atom("nonsense")).await, "{error,undef}");
    assert_eq!(server.node.nodes(), ["a@localhost"]);
    assert_eq!(peer.ask(atom("exit")).await, "ok");
    peer.until_closed().await;
}

#[tokio::test]
async fn a_slow_command_holds_up_commands_and_nothing_else() {
    let server = Server::start();
    let mut peer = server.peer("a").await;
    peer.send(tuple(&[atom("api"), atom("slow"), text("")])).await;
    peer.send(tuple(&[atom("api"), atom("echo"), text("after")])).await;
    assert_eq!(peer.ask(atom("nolog")).await, "ok");
    let job = peer.ask(tuple(&[atom("bgapi"), atom("echo"), text("beside")])).await;
    let uuid = job.strip_prefix("{ok,").and_then(|rest| rest.strip_suffix('}')).expect("a job");
    assert_eq!(peer.receive().await, format!("{{bgok,{uuid},\"beside\"}}"));
    server.gate.notify_one();
    assert_eq!(peer.receive().await, "{ok,\"+OK slow\"}");
    assert_eq!(peer.receive().await, "{ok,\"after\"}");
}

#[tokio::test]
async fn events_and_log_lines_go_to_the_handlers() {
    let server = Server::start();
    let mut peer = server.peer("a").await;
    assert_eq!(peer.ask(atom("register_event_handler")).await, "ok");
    assert_eq!(peer.ask(tuple(&[atom("event"), atom("MESSAGE")])).await, "ok");
    server.fire(1);
    let event = peer.receive().await;
    assert!(event.starts_with("{event,[undefined,{\"Event-Name\",\"MESSAGE\"},"), "{event}");
    assert!(event.ends_with("{\"number\",\"1\"}]}"), "{event}");

    assert_eq!(peer.ask(tuple(&[atom("nixevent"), atom("MESSAGE")])).await, "ok");
    server.fire(2);
    assert_eq!(peer.ask(tuple(&[atom("event"), atom("MESSAGE")])).await, "ok");
    let filtered = peer.ask(tuple(&[atom("filter"), atom("number 4")])).await;
    assert_eq!(filtered, "{filter_command_processing_log,[{\"added\",\"number\",\"4\"}]}");
    (3..6).for_each(|number| server.fire(number));
    assert!(peer.receive().await.ends_with("{\"number\",\"4\"}]}"));
    assert_eq!(peer.ask(atom("register_log_handler")).await, "ok");
    assert_eq!(peer.ask(tuple(&[atom("set_log_level"), atom("info")])).await, "ok");
    for (level, text) in [(LogLevel::Debug, "not this"), (LogLevel::Warning, "this")] {
        server.deps.log_bus.send(LogLine { level, text: text.to_owned(), ..LogLine::default() });
    }
    let line = peer.receive().await;
    assert!(line.starts_with("{log,[{level,4},{text_channel,4},{file,"), "{line}");
}

#[tokio::test]
async fn the_events_of_a_process_end_with_it() {
    let server = Server::start();
    let mut peer = server.peer("a").await;
    assert_eq!(peer.ask(atom("register_event_handler")).await, "ok");
    assert_eq!(peer.ask(tuple(&[atom("event"), atom("MESSAGE")])).await, "ok");
    assert!(server.deps.bus.wanted(EventName::Message, None));
    peer.tell(Message::exit(peer.own.clone(), peer.own.clone(), atom("normal"))).await;
    assert_eq!(peer.ask(atom("nolog")).await, "ok");
    assert!(!server.deps.bus.wanted(EventName::Message, None));
}

#[tokio::test]
async fn a_sent_event_is_fired() {
    let server = Server::start();
    let mut peer = server.peer("a").await;
    assert_eq!(peer.ask(atom("register_event_handler")).await, "ok");
    assert_eq!(peer.ask(tuple(&[atom("event"), atom("CUSTOM"), atom("a::b")])).await, "ok");
    let headers = Term::from(List::from(vec![
        tuple(&[text("to"), text("1000")]),
        tuple(&[text("body"), Term::from(eetf::Binary::from("hé".as_bytes().to_vec()))]),
    ]));
    peer.send(tuple(&[atom("sendevent"), atom("CUSTOM"), atom("a::b"), headers])).await;
    // Answers overtake events.
    let (one, other) = (peer.receive().await, peer.receive().await);
    let event = if one == "ok" { other } else { one };
    assert!(event.contains("{\"Event-Subclass\",\"a::b\"}"), "{event}");
    assert!(event.contains("{\"to\",\"1000\"}"), "{event}");
    assert!(event.ends_with("{\"body\",\"hé\"}]}"), "{event}");
}

fn query() -> XmlQuery {
    XmlQuery {
        section: Section::Chatplan,
        tag_name: String::new(),
        key_name: String::new(),
        key_value: String::new(),
        params: vec![("from".to_owned(), "1000".to_owned())],
    }
}

/// The question's id, when it is asked as it should be.
fn id_of(question: &str) -> String {
    let rest = question
        .strip_prefix("{fetch,chatplan,\"undefined\",\"undefined\",\"undefined\",\"")
        .unwrap_or_else(|| panic!("{question}"));
    let (id, params) = rest.split_once("\",").expect("an id");
    assert_eq!(params, "[undefined,{\"from\",\"1000\"}]}");
    id.to_owned()
}

#[tokio::test]
async fn a_process_answers_for_a_section() {
    let server = Server::start();
    let bindings = server.deps.bindings.clone();
    let mut peer = server.peer("a").await;
    assert!(!bindings.serves(Section::Chatplan));
    assert_eq!(peer.ask(tuple(&[atom("bind"), atom("chatplan")])).await, "ok");
    assert!(bindings.serves(Section::Chatplan));

    for (answer, found) in [
        ("<document><section name=\"chatplan\"><context name=\"x\"/></section></document>", true),
        ("<document><section name=\"result\"><result status=\"not found\"/></section></document>", false),
        ("<document><section", false),
        ("", false),
    ] {
        let asking = tokio::spawn(bindings.locate(query()));
        let id = id_of(&peer.receive().await);
        let reply = tuple(&[atom("fetch_reply"), text(&id), text(answer)]);
        assert_eq!(peer.ask(reply.clone()).await, format!("{{ok,{id:?}}}"));
        assert_eq!(asking.await.expect("asked").is_some(), found, "{answer}");
        assert_eq!(peer.ask(reply).await, "{error,invalid_uuid}");
    }

    // Whoever ends while it is asked is waited for no longer, and is asked no more.
    let asking = tokio::spawn(bindings.locate(query()));
    id_of(&peer.receive().await);
    drop(peer);
    assert!(timeout(Duration::from_secs(4), asking).await.expect("given up").expect("asked").is_none());
    assert!(!bindings.serves(Section::Chatplan));
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for_longer() {
    let server =
        Server::start_with(ErlangConfig { fetch_timeout: Duration::from_millis(50), ..config() }, nowhere());
    let mut peer = server.peer("a").await;
    assert_eq!(peer.ask(tuple(&[atom("bind"), atom("chatplan")])).await, "ok");
    assert!(timeout(TIME, server.deps.bindings.locate(query())).await.expect("given up").is_none());
    let id = id_of(&peer.receive().await);
    let late = tuple(&[atom("fetch_reply"), text(&id), text("<document/>")]);
    assert_eq!(peer.ask(late).await, "{error,invalid_uuid}");
}

fn nowhere() -> std::net::SocketAddr {
    ([127, 0, 0, 1], 1).into()
}

#[tokio::test]
async fn whoever_does_not_know_the_cookie_stays_outside() {
    let server = Server::start();
    assert!(Peer::shake(server.raw().await, "a", "wrong").await.is_err());
    assert_eq!(server.node.nodes(), Vec::<String>::new());

    let denied = ErlangConfig { acl: vec!["nobody".to_owned()], ..config() };
    let server = Server::start_with(denied, nowhere());
    assert!(Peer::shake(server.raw().await, "a", COOKIE).await.is_err());
}

#[tokio::test]
async fn strangers_are_few_and_have_little_time() {
    let short = ErlangConfig { auth_timeout: Duration::from_millis(200), max_unauthenticated: 1, ..config() };
    let server = Server::start_with(short, nowhere());
    let mut silent = server.raw().await;
    let mut one_more = server.raw().await;
    let mut octets = Vec::new();
    for stream in [&mut one_more, &mut silent] {
        let read = timeout(TIME, stream.read_to_end(&mut octets)).await.expect("closed");
        assert!(read.is_err() || octets.is_empty());
    }
    let mut garbage = server.raw().await;
    garbage.write_all(b"\x00\x05HTTP/1.1\r\n\r\n").await.expect("sent");
    let _ = timeout(TIME, garbage.read_to_end(&mut octets)).await.expect("closed");
    assert!(octets.is_empty());
    server.peer("a").await;
}

#[tokio::test]
async fn what_can_not_be_a_message_ends_the_connection() {
    let server = Server::start();
    let mut deep = vec![112, 131, 104, 4, 97, 6, 106, 106, 119, 1, b'x', 131];
    deep.extend([104, 1].repeat(100));
    deep.push(106);
    for frame in [vec![1, 2, 3], vec![112, 131, 108, 255, 255, 255, 255], deep] {
        let mut peer = server.peer("a").await;
        let len = u32::try_from(frame.len()).expect("short").to_be_bytes();
        peer.stream.write_all(&[&len[..], &frame].concat()).await.expect("sent");
        peer.until_closed().await;
    }
    let mut peer = server.peer("a").await;
    peer.stream.write_all(&[255; 4]).await.expect("sent");
    peer.until_closed().await;
}

#[tokio::test]
async fn a_node_that_comes_back_takes_its_old_place() {
    let server = Server::start();
    let old = server.peer("a").await;
    let mut new = server.peer("a").await;
    old.until_closed().await;
    assert_eq!(new.ask(atom("nolog")).await, "ok");
    server.node.stop().await;
    new.until_closed().await;
    assert!(server.node.nodes().is_empty() && server.node.local_addr().is_none());
}

#[tokio::test]
async fn a_slow_node_misses_events_and_is_counted() {
    let server = Server::start_with(ErlangConfig { max_queue_len: 3, ..config() }, nowhere());
    let mut peer = server.peer("a").await;
    assert_eq!(peer.ask(atom("register_event_handler")).await, "ok");
    assert_eq!(peer.ask(tuple(&[atom("event"), atom("MESSAGE"), atom("TRAP")])).await, "ok");
    // The writer runs on this thread, too: it does not get its turn between.
    (0..10).for_each(|number| server.fire(number));
    for number in 0..3 {
        let event = peer.receive().await;
        assert!(event.ends_with(&format!("{{\"number\",\"{number}\"}}]}}")), "{event}");
    }
    let trap = peer.receive().await;
    assert!(trap.contains("{\"info\",\"lost 7 events\"}"), "{trap}");
}

#[tokio::test]
async fn ticks_are_answered() {
    let server = Server::start();
    let mut peer = server.peer("a").await;
    peer.tell(Message::Tick).await;
    let answer = timeout(TIME, wire::read(&mut peer.stream)).await.expect("something comes");
    assert_eq!(answer.expect("connected"), Some(Message::Tick));
}

#[tokio::test]
async fn the_port_mapper_is_told_again_when_it_comes_back() {
    let epmd = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let server = Server::start_with(config(), epmd.local_addr().expect("bound"));
    for _ in 0..2 {
        let (mut stream, _) = timeout(TIME, epmd.accept()).await.expect("registered").expect("accepted");
        let mut request = vec![0; usize::from(stream.read_u16().await.expect("a length"))];
        stream.read_exact(&mut request).await.expect("a request");
        // ALIVE2_REQ, the port, a hidden node.
        let port = server.node.local_addr().expect("it listens").port().to_be_bytes();
        assert_eq!(request[..4], [120, port[0], port[1], 72]);
        assert!(request.windows(10).any(|part| part == b"freeswitch"));
        stream.write_all(&[118, 0, 0, 0, 0, 5]).await.expect("answered");
    }
    assert_eq!(server.node.name().as_deref(), Some("freeswitch@box"));
}

#[tokio::test]
async fn a_new_cookie_counts_for_new_connections() {
    let server = Server::start();
    let mut before = server.peer("a").await;
    let changed = ErlangConfig { cookie: CookieSource::Text("other".into()), ..config() };
    server.node.apply(changed).expect("applied");
    assert_eq!(before.ask(atom("nolog")).await, "ok");
    assert!(Peer::shake(server.raw().await, "b", COOKIE).await.is_err());
    assert!(Peer::shake(server.raw().await, "b", "other").await.is_ok());
}

#[tokio::test]
async fn the_command_tells_who_is_there() {
    let server = Server::start();
    let tell = async |args: &str| server.deps.registry.execute(&format!("erlang {args}"), None).text().await;
    assert_eq!(tell("listeners").await, "No active listeners\n");
    assert_eq!(tell("bindings").await, "No bindings\n");
    let mut peer = server.peer("a").await;
    assert_eq!(peer.ask(tuple(&[atom("bind"), atom("config")])).await, "ok");
    assert_eq!(peer.ask(atom("register_event_handler")).await, "ok");
    assert_eq!(peer.ask(tuple(&[atom("event"), atom("MESSAGE")])).await, "ok");
    server.fire(1);
    peer.receive().await;
    assert_eq!(
        tell("listeners").await,
        "Listener to a@localhost with outbound sessions: 0 events: 1 (lost:0) logs: 0 (lost:0) 0/0\n"
    );
    assert_eq!(tell("bindings").await, "a@localhost config\n");
    assert_eq!(
        tell("handlers").await,
        "Listener a@localhost:\n--------------------------------\nMESSAGE\n\n"
    );
    assert_eq!(tell("sessions a@localhost").await, "No active sessions for a@localhost\n");
    assert_eq!(tell("sessions b").await, "Could not find a listener for b\n");
    assert!(tell("").await.starts_with("-USAGE: listeners"));
    server.node.close();
    assert!(tell("listeners").await.contains("Command not found"));
}
