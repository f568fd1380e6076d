//! A router with the app, and a program that it connects to.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chappe_api::{Answer, Call, Command, Registry, Row};
use chappe_chat::{
    AltPlans, App, AppRow, ChatInterface, Delivery, Opening, Outcome, Ran, Router, RouterDeps, Sent,
};
use chappe_event::{Bus, Event, EventName, Globals, Identity, LogBus, ManualClock};
use chappe_event_socket::client::Frame;
use chappe_event_socket::{EventSocketDeps, OutboundConfig};
use chappe_outbound_socket::{Outbound, SocketApp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

const TIME: Duration = Duration::from_secs(20);

pub struct World {
    pub router: Arc<Router>,
    pub bus: Arc<Bus>,
    pub outbound: Arc<Outbound>,
    pub sip: Arc<Sip>,
    /// Lets the app `slow` end.
    pub gate: Arc<Notify>,
    pub listener: TcpListener,
}

impl World {
    pub async fn new() -> Self {
        Self::with(OutboundConfig::default()).await
    }

    pub async fn with(config: OutboundConfig) -> Self {
        let clock = Arc::new(ManualClock::at(1_795_384_800_000_000));
        let bus = Arc::new(Bus::new(Arc::new(Identity::default()), clock.clone()));
        let registry = Arc::new(Registry::new());
        registry.add(Arc::new(Echo));
        let router = Router::new(RouterDeps {
            bus: bus.clone(),
            registry: registry.clone(),
            globals: Arc::new(Globals::default()),
            clock: clock.clone(),
            spawn: Arc::new(|work| drop(tokio::spawn(work))),
            alt_plans: Arc::new(NoFiles),
        });
        let sip = Arc::new(Sip::default());
        router.add_interface(sip.clone());
        let gate = Arc::new(Notify::new());
        router.add_app(Arc::new(Slow(gate.clone())));
        let acl = Arc::new(|_: &str, _: IpAddr| false);
        let deps = EventSocketDeps {
            bus: bus.clone(),
            registry,
            log_bus: Arc::new(LogBus::new()),
            clock,
            acl,
            accounts: Arc::new(|_, _| None),
        };
        let outbound = Outbound::new(deps, config, tokio::runtime::Handle::current());
        router.add_app(Arc::new(SocketApp(outbound.clone())));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self { router, bus, outbound, sip, gate, listener }
    }

    /// Where the program listens.
    pub fn address(&self) -> String {
        self.listener.local_addr().expect("it listens").to_string()
    }

    /// A message whose chatplan says `socket DATA`.
    pub fn route(&self, data: &str) -> Routed {
        let (router, data) = (self.router.clone(), data.to_owned());
        let task = tokio::spawn(async move {
            let mut message = message();
            let outcome = router.execute_app(&mut message, "socket", Some(&data)).await;
            (message, outcome)
        });
        Routed(task)
    }

    /// A message, and the program that is asked to handle it with these words, `async full` for instance.
    pub async fn handle(&self, words: &str) -> (Routed, Program) {
        let routed = self.route(&format!("{} {words}", self.address()));
        (routed, self.program().await)
    }

    /// The program that the next message comes to.
    pub async fn program(&self) -> Program {
        let accepted = tokio::time::timeout(TIME, self.listener.accept()).await.expect("connected in time");
        Program { stream: accepted.expect("a connection").0, pending: Vec::new(), kept: Vec::new() }
    }
}

/// A message under way.
pub struct Routed(JoinHandle<(Event, Outcome)>);

impl Routed {
    /// The message, and what is to become of it, in words.
    pub async fn end(self) -> (Event, String) {
        let (message, outcome) =
            tokio::time::timeout(TIME, self.0).await.expect("in time").expect("no panic");
        let text = match outcome {
            Outcome::Continue => "continue".to_owned(),
            Outcome::Stop => "stop".to_owned(),
            Outcome::Dealt => "dealt".to_owned(),
            Outcome::Sending(sending) => format!("sending: {}", word(&sending.await)),
            Outcome::Failed(delivery) => format!("failed: {}", word(&delivery)),
            Outcome::Refused(delivery) => format!("refused: {}", word(&delivery)),
            Outcome::Hold(_) => "held".to_owned(),
        };
        (message, text)
    }
}

fn word(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Delivered { code, .. } => code.to_string(),
        Delivery::Overloaded { retry_after_secs } => format!("503, {retry_after_secs} s"),
        Delivery::Failed(why) => why.clone(),
        other => format!("{other:?}"),
    }
}

pub struct Program {
    stream: TcpStream,
    pending: Vec<u8>,
    kept: Vec<Frame>,
}

impl Program {
    pub async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.expect("the server reads");
    }

    /// Gives a command and takes its reply's text.
    pub async fn say(&mut self, command: &str) -> String {
        self.send(&format!("{command}\n\n")).await;
        self.answer().await
    }

    /// The text of the next reply.
    pub async fn answer(&mut self) -> String {
        let is_reply = |frame: &Frame| matches!(frame.content_type(), "command/reply" | "api/response");
        let frame = self.next(is_reply).await;
        match frame.content_type() {
            "command/reply" => frame.header("Reply-Text").unwrap_or_default().to_owned(),
            _ => frame.text(),
        }
    }

    /// The headers of the next event of that name.
    pub async fn event(&mut self, name: &str) -> Frame {
        let event = |frame: &Frame| Frame { headers: frame.plain_event().0, body: Vec::new() };
        let is_it = |frame: &Frame| {
            frame.content_type() == "text/event-plain" && event(frame).header("Event-Name") == Some(name)
        };
        event(&self.next(is_it).await)
    }

    /// The next frame of a kind; others stay for later, since replies overtake events.
    async fn next(&mut self, is_it: impl Fn(&Frame) -> bool) -> Frame {
        if let Some(at) = self.kept.iter().position(&is_it) {
            return self.kept.remove(at);
        }
        loop {
            let frame = self.frame().await.expect("a frame");
            if is_it(&frame) {
                return frame;
            }
            self.kept.push(frame);
        }
    }

    /// The next frame; nothing once the server has closed.
    pub async fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.take() {
                return Some(frame);
            }
            let mut piece = [0; 4096];
            let read = tokio::time::timeout(TIME, self.stream.read(&mut piece)).await.expect("in time");
            match read.expect("readable") {
                0 => return None,
                octets => self.pending.extend_from_slice(&piece[..octets]),
            }
        }
    }

    fn take(&mut self) -> Option<Frame> {
        let end = self.pending.windows(2).position(|pair| pair == b"\n\n")?;
        let head = String::from_utf8_lossy(&self.pending[..end]).into_owned();
        let headers = head.lines().filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut frame = Frame { headers, body: Vec::new() };
        let length = frame.header("Content-Length").map_or(0, |length| length.parse().expect("a number"));
        frame.body = self.pending.get(end + 2..end + 2 + length)?.to_vec();
        self.pending.drain(..end + 2 + length);
        Some(frame)
    }
}

/// A message of 1004's to 1000.
pub fn message() -> Event {
    let mut event = Event::new(EventName::Message);
    for (name, value) in [
        ("proto", "sip"),
        ("from", "1004@chat.test"),
        ("from_user", "1004"),
        ("from_host", "chat.test"),
        ("to", "1000@chat.test"),
        ("to_user", "1000"),
        ("context", "default"),
        ("type", "text/plain"),
        ("dest_proto", "sip"),
    ] {
        event.add(name, value);
    }
    event.set_body(Some("first line\nfrom: nobody%41".into()));
    event
}

/// Takes everything.
#[derive(Default)]
pub struct Sip(Mutex<Vec<String>>);

impl Sip {
    /// What was sent so far, as `TO: BODY`.
    pub fn sent(&self) -> Vec<String> {
        self.0.lock().expect("nobody panicked").clone()
    }
}

impl ChatInterface for Sip {
    fn name(&self) -> &str {
        "sip"
    }

    fn send<'a>(&'a self, message: &'a mut Event) -> Sent<'a> {
        let text = format!("{}: {}", message.get("to").unwrap_or_default(), message.body_text());
        self.0.lock().expect("nobody panicked").push(text);
        Sent::Now(Delivery::Delivered { code: 200, device: None })
    }
}

/// An app that ends when it is told to, and leaves `slow: done`.
struct Slow(Arc<Notify>);

const SLOW: AppRow = AppRow { name: "slow", syntax: "", doc: "", takes: false, module: "" };

impl App for Slow {
    fn row(&self) -> &AppRow {
        &SLOW
    }

    fn run<'a>(&'a self, message: &'a mut Event, _: Option<&'a str>, _: &'a Arc<Router>) -> Ran<'a> {
        Ran::Later(Box::pin(async move {
            self.0.notified().await;
            message.set("slow", "done");
            Outcome::Continue
        }))
    }
}

struct Echo;

const ECHO: Row = Row { name: "echo", syntax: "", doc: "", module: "" };

impl Command for Echo {
    fn row(&self) -> &Row {
        &ECHO
    }

    fn run(&self, call: Call<'_>) -> Answer {
        Answer::Ready(call.args.to_owned())
    }
}

struct NoFiles;

impl AltPlans for NoFiles {
    fn open(&self, _: &str) -> Opening {
        Box::pin(std::future::ready(None))
    }
}
