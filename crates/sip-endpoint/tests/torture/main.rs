//! What a server answers to the messages of RFC 4475. The page docs/torture.md is written from here: run
//! `cargo xtask docs` where it is not what this test sees.

#[path = "../fixture/mod.rs"]
mod fixture;
mod messages;

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chappe_sip_msg::{HeaderName, Message};
use fixture::Server;
use fixture::phone::{Phone, parsed};
use messages::{MESSAGES, Torture, Wants};

/// How long the test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);
/// The port of a sent-by without one.
const DEFAULT_PORT: u16 = 5060;
/// The port that quotbal's sent-by names.
const OTHER_PORT: u16 = 5050;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn octets(name: &str) -> Vec<u8> {
    let path = root().join("crates/sip-msg/tests/torture").join(name).with_extension("sip");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A server that asks nobody for a password, or one that does, which is at home wherever the messages go.
fn server(asks: bool) -> Server {
    let domains = [
        "example.com",
        "example.net",
        "example.org",
        "chair-dnrc.example.com",
        "company.com",
        "ss1.example.net",
    ];
    let aliases: String = domains.iter().map(|name| format!("<alias name=\"{name}\"/>")).collect();
    let params: String = [
        ("sip-ip", "127.0.0.1"),
        ("sip-port", "0"),
        ("shards", "1"),
        ("context", "default"),
        ("multiple-registrations", "contact"),
        ("auth-messages", "false"),
        ("auth-calls", "false"),
        ("accept-blind-reg", if asks { "false" } else { "true" }),
    ]
    .map(|(name, value)| fixture::param(name, value))
    .concat();
    Server::profiles(&format!(
        "<profile name=\"internal\"><aliases>{aliases}</aliases><domains><domain name=\"all\" alias=\"true\"/></domains>\n\
         <settings>\n{params}</settings></profile>\n"
    ))
}

/// The sender. Answers go to the address it sends from and the port that sent-by names, RFC 3261 §18.2.2, and the messages
/// are sent octet by octet as the RFC has them: so it has these ports of a loopback address that is nobody else's.
struct Sender {
    socket: UdpSocket,
    other: UdpSocket,
    server: SocketAddr,
}

impl Sender {
    fn to(server: &Server) -> Self {
        let bound = |ip, port| {
            let socket = UdpSocket::bind((ip, port)).ok()?;
            socket.set_read_timeout(Some(PATIENCE)).ok()?;
            Some(socket)
        };
        let [_, low, high, _] = std::process::id().to_be_bytes();
        let [.., last] = std::process::id().to_be_bytes();
        let addresses =
            (1..=254).map(|turn| Ipv4Addr::new(127, 1 + (low ^ turn) % 254, high, 1 + last % 254));
        let found = addresses.filter_map(|ip| Some((bound(ip, DEFAULT_PORT)?, bound(ip, OTHER_PORT)?)));
        let (socket, other) = found.into_iter().next().expect("a free address of 127.0.0.0/8");
        Self { socket, other, server: server.addr() }
    }

    /// The final answers that come to these octets. A request after them that is always answered shows that nothing else
    /// comes; a MESSAGE may take longer than that.
    fn answers(&self, octets: &[u8], is_slow: bool) -> Vec<Vec<u8>> {
        self.socket.send_to(octets, self.server).expect("loopback carries what we send");
        let probe = "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKprobe\r\nMax-Forwards: 70\r\n\
             From: <sip:p@127.0.0.1>;tag=p\r\nTo: <sip:127.0.0.1>\r\nCall-ID: probe\r\nCSeq: 1 OPTIONS\r\n\r\n";
        self.socket.send_to(probe.as_bytes(), self.server).expect("loopback carries what we send");
        let mut answers = Vec::new();
        let mut is_probed = false;
        while !is_probed || is_slow && answers.is_empty() {
            let answer = received(&self.socket).expect("an answer in time");
            match &*first_line(&answer) {
                _ if is_of_probe(&answer) => is_probed = true,
                line if line.starts_with("SIP/2.0 1") => {}
                _ => answers.push(answer),
            }
        }
        self.other.set_nonblocking(true).expect("an open socket");
        answers.extend(std::iter::from_fn(|| received(&self.other)));
        answers
    }
}

fn received(socket: &UdpSocket) -> Option<Vec<u8>> {
    let mut datagram = vec![0; 65_536];
    let length = socket.recv(&mut datagram).ok()?;
    datagram.truncate(length);
    Some(datagram)
}

fn is_of_probe(answer: &[u8]) -> bool {
    chappe_sip_msg::parse(answer).is_ok_and(|answer| answer.call_id() == b"probe")
}

fn first_line(message: &[u8]) -> String {
    String::from_utf8_lossy(message).lines().next().unwrap_or_default().to_owned()
}

/// What became of a message.
struct Seen {
    /// `None`: no answer.
    code: Option<u16>,
    text: String,
}

impl Seen {
    fn fits(&self, wants: Wants) -> bool {
        match wants {
            Wants::WellFormed => self.code.is_none_or(|code| !matches!(code, 400 | 505 | 513)),
            Wants::Refused(codes) | Wants::Says(_, codes) => {
                self.code.is_some_and(|code| codes.contains(&code))
            }
            Wants::RefusedOrRepaired => self.code.is_some(),
            Wants::Dropped => self.code.is_none(),
        }
    }
}

/// Sends the octets to a new server.
fn seen(row: &Torture, octets: &[u8]) -> Seen {
    let server = server(row.name == "regaut01");
    let device = (row.name == "mpart01").then(|| registered(&server, "kumiko", "example.org"));
    let sender = Sender::to(&server);
    let request = chappe_sip_msg::parse(octets).ok().filter(Message::is_request);
    let is_message = octets.starts_with(b"MESSAGE ") && request.is_some();
    let waiting = device.map(|device| std::thread::spawn(move || taken(device)));
    let answers = sender.answers(octets, is_message);
    if let Some(waiting) = waiting {
        let delivered = waiting.join().expect("the device got it");
        assert_eq!(parsed(&delivered).body(), parsed(octets).body(), "{}", row.name);
        assert_eq!(
            fixture::phone::header_text(&delivered, HeaderName::ContentType),
            fixture::phone::header_text(octets, HeaderName::ContentType)
        );
    }
    assert!(answers.len() <= 1, "{}: {} answers", row.name, answers.len());
    match answers.first() {
        Some(answer) => answered(answer),
        None => Seen { code: None, text: dropped(octets) },
    }
}

/// A device of a user who needs no password.
fn registered(server: &Server, user: &str, domain: &str) -> Phone {
    let mut phone = server.phone(user);
    let (uri, to) = (format!("sip:{domain}"), format!("sip:{user}@{domain}"));
    let contact = format!("Contact: <{}>\r\n", phone.contact());
    let answer = phone.transact(&phone.request("REGISTER", &uri, &to, &contact, ""));
    assert_eq!(fixture::phone::status(&answer), 200);
    phone
}

fn taken(mut device: Phone) -> Vec<u8> {
    device.receive()
}

fn answered(answer: &[u8]) -> Seen {
    let line = first_line(answer);
    let text = line.strip_prefix("SIP/2.0 ").expect("a status line");
    let code = text.get(..3).and_then(|code| code.parse().ok()).expect("a status code");
    let mut text = text.to_owned();
    if let Ok(answer) = chappe_sip_msg::parse(answer) {
        for name in ["Contact", "Unsupported"] {
            let values: Vec<_> = answer.named(name).map(|value| String::from_utf8_lossy(value)).collect();
            if name == "Contact" && !values.is_empty() {
                text += &format!(": `{}`", values.join("`, `"));
            } else if name == "Unsupported" && !values.is_empty() {
                text += &format!(": {}", values.join(", "));
            }
        }
    }
    Seen { code: Some(code), text }
}

/// Why there was no answer.
fn dropped(octets: &[u8]) -> String {
    match chappe_sip_msg::parse(octets) {
        Ok(_) => "read; it answers no request of ours, and is dropped".to_owned(),
        Err(error) => format!("dropped: {error}"),
    }
}

/// The same request with the method MESSAGE, where its own is one that routes nothing.
fn as_message(octets: &[u8]) -> Option<Vec<u8>> {
    let own: &[u8] = [&b"INVITE"[..], b"OPTIONS"].into_iter().find(|name| octets.starts_with(name))?;
    let mut out = Vec::new();
    let mut rest = octets;
    while let Some(at) = rest.windows(own.len()).position(|part| part == own) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(b"MESSAGE");
        rest = &rest[at + own.len()..];
    }
    out.extend_from_slice(rest);
    Some(out)
}

fn wants(wants: Wants) -> String {
    match wants {
        Wants::WellFormed => "well-formed".to_owned(),
        Wants::Refused(codes) => codes.iter().map(|code| code.to_string()).collect::<Vec<_>>().join(" or "),
        Wants::Says(words, _) => words.to_owned(),
        Wants::RefusedOrRepaired => "400, or repaired and taken".to_owned(),
        Wants::Dropped => "dropped".to_owned(),
    }
}

const HEAD: &str = "# The torture messages of RFC 4475

[RFC 4475](https://www.rfc-editor.org/rfc/rfc4475) has 49 messages that have broken SIP servers: some are odd and well-formed,
some are not. This is what this server does with each, octet by octet as the RFC has it, sent by UDP. The fourth column is
what the RFC wants, the fifth what came back. As most of them are INVITE and OPTIONS, which a message router has little use
for, the sixth column has the answer to the same request as a MESSAGE. *Differs* stands where the server does on purpose
something else than the RFC says.

The profile asks for no password (but for regaut01) and has the messages' domains as aliases; nobody is registered, so that
a MESSAGE which is taken is kept, and answered with 202. The page is written by a test
(`crates/sip-endpoint/tests/torture`), which fails where the page is not what it sees; `cargo xtask docs` writes it anew.

| section | message | what it tries | the RFC | seen | as a MESSAGE | |
|---|---|---|---|---|---|---|
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for row in &MESSAGES {
        let octets = octets(row.name);
        let own = seen(row, &octets);
        assert_eq!(own.fits(row.wants), !row.differs, "{}: {}", row.name, own.text);
        let other = as_message(&octets).map(|octets| seen(row, &octets));
        if let Some(other) = &other {
            assert!(row.differs || other.fits(row.wants), "{} as a MESSAGE: {}", row.name, other.text);
        }
        let differs = if row.differs { "*Differs:* " } else { "" };
        let other = match other {
            Some(other) if other.text == own.text => "the same".to_owned(),
            other => other.map(|other| other.text).unwrap_or_default(),
        };
        let Torture { section, name, tries, note, .. } = row;
        let wants = wants(row.wants);
        writeln!(
            page,
            "| {section} | {name} | {tries} | {wants} | {} | {other} | {differs}{note} |",
            own.text
        )
        .expect("a String takes what is written");
    }
    page
}

#[test]
fn the_page_is_what_the_server_does() {
    let (path, made) = (root().join("docs/torture.md"), page());
    if std::env::var_os("CHAPPE_DOCS").is_some_and(|what| what == "write") {
        return std::fs::write(path, made).expect("docs can be written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    for (line, (is, should)) in written.lines().zip(made.lines()).enumerate() {
        assert_eq!(is, should, "docs/torture.md:{}: run cargo xtask docs", line + 1);
    }
    assert_eq!(written, made, "docs/torture.md: run cargo xtask docs");
}

#[test]
fn every_message_of_the_rfc_is_in_the_table() {
    let files = std::fs::read_dir(root().join("crates/sip-msg/tests/torture")).expect("a folder").flatten();
    let mut files: Vec<String> = files
        .filter_map(|entry| Some(entry.file_name().to_string_lossy().strip_suffix(".sip")?.to_owned()))
        .collect();
    let mut names: Vec<String> = MESSAGES.iter().map(|row| row.name.to_owned()).collect();
    files.sort();
    names.sort();
    assert_eq!(files, names);
}
