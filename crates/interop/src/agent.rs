//! A SIP peer that sees the octets. It shares no line with the server, so that an error in the server's own parser
//! or digest can't hide here.

use crate::PASSWORD;
use md5::{Digest, Md5};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

/// The status that an agent answers a request with; 0: it does not answer.
pub type Answering = Box<dyn FnMut(&Received) -> u16 + Send>;

/// One user on one socket: registers, sends MESSAGEs. A thread of its own reads, and answers what it receives with 200.
pub struct Agent {
    user: String,
    /// The host of its address; the server's, unless the test says otherwise.
    host: String,
    wire: Wire,
    local: SocketAddr,
    server: SocketAddr,
    sent: u32,
    last: Vec<u8>,
    answers: Receiver<Received>,
    inbox: Receiver<Received>,
}

/// A request or response as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Start line and headers, without the blank line.
    pub head: String,
    /// The body's octets.
    pub body: Vec<u8>,
}

impl Received {
    /// The message in a datagram; `None` when it is not a whole one.
    pub fn parse(datagram: &[u8]) -> Option<Received> {
        split(datagram).map(|(message, _)| message)
    }

    /// A response to this request.
    pub fn answer(&self, status: u16) -> Vec<u8> {
        answer_to(self, status).into_bytes()
    }

    /// Whether it is a request of this method.
    pub fn is(&self, method: &str) -> bool {
        self.head.strip_prefix(method).is_some_and(|rest| rest.starts_with(' '))
    }

    /// The branch of the topmost Via.
    pub fn branch(&self) -> Option<&str> {
        let (_, after) = self.header("Via")?.split_once("branch=")?;
        after.split([';', ',', ' ']).next()
    }

    /// The value of the first header `name` (long form).
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The status of a response.
    pub fn status(&self) -> Option<u16> {
        self.head.strip_prefix("SIP/2.0 ")?.split(' ').next()?.parse().ok()
    }
}

impl Agent {
    /// An agent for `user` on a UDP socket of its own.
    pub fn udp(server: SocketAddr, user: &str) -> Agent {
        Agent::udp_at(Ipv4Addr::LOCALHOST, server, user)
    }

    /// The same at an address of the test's choice.
    pub fn udp_at(ip: Ipv4Addr, server: SocketAddr, user: &str) -> Agent {
        let socket = UdpSocket::bind((ip, 0)).expect("an address of this machine");
        let local = socket.local_addr().expect("a bound socket");
        Agent::on(Wire::Udp(socket), local, server, user, Box::new(|_| 200))
    }

    /// The same, but for how it answers requests.
    pub fn answering(server: SocketAddr, user: &str, answering: Answering) -> Agent {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback socket");
        let local = socket.local_addr().expect("a bound socket");
        Agent::on(Wire::Udp(socket), local, server, user, answering)
    }

    /// An agent for `user` on a TCP connection of its own.
    pub fn tcp(server: SocketAddr, user: &str) -> Agent {
        let stream = TcpStream::connect(server).expect("the server accepts connections");
        let local = stream.local_addr().expect("a connected socket");
        Agent::on(Wire::Tcp(stream, Vec::new()), local, server, user, Box::new(|_| 200))
    }

    fn on(wire: Wire, local: SocketAddr, server: SocketAddr, user: &str, answering: Answering) -> Agent {
        let ((answered, answers), (came, inbox)) = (channel(), channel());
        let reader = wire.twin();
        std::thread::spawn(move || read(reader, server, answering, &answered, &came));
        let (user, host) = (user.to_owned(), server.to_string());
        Agent { user, host, wire, local, server, sent: 0, last: Vec::new(), answers, inbox }
    }

    /// The same with an address at another host than the one that it sends to.
    pub fn of(mut self, host: &str) -> Agent {
        host.clone_into(&mut self.host);
        self
    }

    /// Where this agent is reached.
    pub fn port(&self) -> u16 {
        self.local.port()
    }

    /// Registers this agent's socket as the user's contact; the final status.
    pub fn register(&mut self) -> u16 {
        self.register_contact(&self.contact())
    }

    /// Registers a contact that may be somewhere else; the final status.
    pub fn register_contact(&mut self, contact: &str) -> u16 {
        let contact = format!("Contact: <{contact}>\r\nExpires: 600\r\n");
        let server = format!("sip:{}", self.server);
        let own = format!("sip:{}@{}", self.user, self.host);
        self.authenticated("REGISTER", &server, &own, &contact, b"", PASSWORD).status().unwrap_or(0)
    }

    /// Sends a MESSAGE to `to`; the final status.
    pub fn message(&mut self, to: &str, content_type: &str, body: &[u8]) -> u16 {
        self.message_with_password(to, content_type, body, PASSWORD)
    }

    /// Sends a MESSAGE to `to` with a password of the test's choice; the final status.
    pub fn message_with_password(
        &mut self,
        to: &str,
        content_type: &str,
        body: &[u8],
        password: &str,
    ) -> u16 {
        let content_type = format!("Content-Type: {content_type}\r\n");
        self.authenticated("MESSAGE", to, to, &content_type, body, password).status().unwrap_or(0)
    }

    /// Sends a MESSAGE with these header lines, each ended by CRLF; the final answer.
    pub fn message_with(&mut self, to: &str, lines: &str, body: &[u8]) -> Received {
        self.authenticated("MESSAGE", to, to, lines, body, PASSWORD)
    }

    /// Sends the last request again, octet for octet; the final answer.
    pub fn repeat(&mut self) -> Received {
        let request = split(&self.last).expect("something was sent before").0;
        // Answers to it that came since it was over are not the answer to this.
        while self.answers.try_recv().is_ok() {}
        self.wire.send(&self.last, self.server);
        self.final_answer(request.header("Call-ID").expect("we write one"))
    }

    /// The next MESSAGE that came in; fails the test when none comes.
    pub fn receive(&mut self) -> Received {
        self.receive_within(PATIENCE * 2)
    }

    /// The same, with less patience.
    pub fn receive_within(&mut self, limit: Duration) -> Received {
        self.inbox.recv_timeout(limit).unwrap_or_else(|_| panic!("{} received no MESSAGE", self.user))
    }

    fn contact(&self) -> String {
        format!("sip:{}@{}{}", self.user, self.local, if self.is_tcp() { ";transport=tcp" } else { "" })
    }

    fn is_tcp(&self) -> bool {
        matches!(self.wire, Wire::Tcp(..))
    }

    fn authenticated(
        &mut self,
        method: &str,
        uri: &str,
        to: &str,
        extra: &str,
        body: &[u8],
        password: &str,
    ) -> Received {
        let first = self.transact(method, uri, to, extra, body);
        let (name, challenge) =
            match (first.status(), first.header("WWW-Authenticate"), first.header("Proxy-Authenticate")) {
                (Some(401), Some(challenge), _) => ("Authorization", challenge),
                (Some(407), _, Some(challenge)) => ("Proxy-Authorization", challenge),
                _ => return first,
            };
        let credentials = answer(challenge, &self.user, password, method, uri);
        let second = self.transact(method, uri, to, &format!("{extra}{name}: {credentials}\r\n"), body);
        if matches!(second.status(), Some(401 | 407)) {
            let again = second.header("WWW-Authenticate").or(second.header("Proxy-Authenticate"));
            assert!(again.is_some(), "wrong credentials are answered without a challenge:\n{}", second.head);
        }
        second
    }

    fn transact(&mut self, method: &str, uri: &str, to: &str, extra: &str, body: &[u8]) -> Received {
        self.sent += 1;
        let (user, local, sent) = (self.user.clone(), self.local, self.sent);
        let transport = if self.is_tcp() { "TCP" } else { "UDP" };
        let call_id = format!("{sent}-{}-{}", local.port(), std::process::id());
        let head = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {local};rport;branch=z9hG4bK-{call_id}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@{host}>;tag=t{sent}\r\nTo: <{to}>\r\nCall-ID: {call_id}\r\n\
             CSeq: {sent} {method}\r\n{extra}Content-Length: {}\r\n\r\n",
            body.len(),
            host = self.host,
        );
        self.last = [head.as_bytes(), body].concat();
        self.wire.send(&self.last, self.server);
        self.final_answer(&call_id)
    }

    fn final_answer(&self, call_id: &str) -> Received {
        loop {
            let Ok(answer) = self.answers.recv_timeout(PATIENCE) else {
                panic!("no answer to {}", String::from_utf8_lossy(&self.last))
            };
            if answer.header("Call-ID") == Some(call_id) && answer.status() >= Some(200) {
                return answer;
            }
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.wire.close(self.local);
    }
}

/// Reads until the socket is closed: responses go to the one who waits, requests are answered and, if they are
/// MESSAGEs, kept.
fn read(
    mut wire: Wire,
    server: SocketAddr,
    mut answering: Answering,
    answered: &Sender<Received>,
    came: &Sender<Received>,
) {
    while let Some((message, peer)) = wire.receive(server) {
        let kept = if message.head.starts_with("SIP/2.0") {
            answered.send(message)
        } else {
            match answering(&message) {
                0 => {}
                status => wire.send(&message.answer(status), peer),
            }
            if message.head.starts_with("MESSAGE") { came.send(message) } else { Ok(()) }
        };
        if kept.is_err() {
            return;
        }
    }
}

enum Wire {
    Udp(UdpSocket),
    Tcp(TcpStream, Vec<u8>),
}

impl Wire {
    fn send(&mut self, bytes: &[u8], to: SocketAddr) {
        let sent = match self {
            Wire::Udp(socket) => socket.send_to(bytes, to).map(drop),
            Wire::Tcp(stream, _) => stream.write_all(bytes),
        };
        sent.expect("loopback carries what we send");
    }

    fn twin(&self) -> Wire {
        match self {
            Wire::Udp(socket) => Wire::Udp(socket.try_clone().expect("a live socket")),
            Wire::Tcp(stream, _) => Wire::Tcp(stream.try_clone().expect("a live socket"), Vec::new()),
        }
    }

    /// Ends the reader: an empty datagram to itself, or the connection's end.
    fn close(&mut self, local: SocketAddr) {
        // The socket may be gone already, and then so is the reader.
        let _ = match self {
            Wire::Udp(socket) => socket.send_to(b"", local).map(drop),
            Wire::Tcp(stream, _) => stream.shutdown(Shutdown::Both),
        };
    }

    /// The next message; `None` at the end.
    fn receive(&mut self, server: SocketAddr) -> Option<(Received, SocketAddr)> {
        match self {
            Wire::Udp(socket) => loop {
                let mut datagram = vec![0; 65_536];
                let (count @ 1.., peer) = socket.recv_from(&mut datagram).ok()? else { return None };
                if let Some((message, _)) = split(&datagram[..count]) {
                    return Some((message, peer));
                }
            },
            Wire::Tcp(stream, kept) => loop {
                if let Some((message, used)) = split(kept) {
                    kept.drain(..used);
                    return Some((message, server));
                }
                let mut piece = [0; 65_536];
                let count @ 1.. = stream.read(&mut piece).ok()? else { return None };
                kept.extend_from_slice(&piece[..count]);
            },
        }
    }
}

/// The first whole message of `bytes` and its length.
fn split(bytes: &[u8]) -> Option<(Received, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let mut message =
        Received { head: String::from_utf8_lossy(&bytes[..end]).into_owned(), body: Vec::new() };
    let length = message.header("Content-Length").and_then(|length| length.parse().ok()).unwrap_or(0);
    message.body = bytes.get(end + 4..end + 4 + length)?.to_vec();
    Some((message, end + 4 + length))
}

fn answer_to(request: &Received, status: u16) -> String {
    let reason = if status == 200 { "OK" } else { "Not Now" };
    let mut answer = format!("SIP/2.0 {status} {reason}\r\n");
    for line in request.head.split("\r\n").skip(1) {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "via" | "from" | "call-id" | "cseq" => answer += &format!("{line}\r\n"),
            "to" if line.contains(";tag=") => answer += &format!("{line}\r\n"),
            "to" => answer += &format!("{line};tag=agent\r\n"),
            _ => {}
        }
    }
    answer + "Content-Length: 0\r\n\r\n"
}

/// The answer to a Digest challenge with qop=auth (RFC 2617 §3.2.2).
fn answer(challenge: &str, user: &str, password: &str, method: &str, uri: &str) -> String {
    let field = |name: &str| {
        let after = challenge
            .split_once(&format!("{name}=\""))
            .unwrap_or_else(|| panic!("no {name} in {challenge}"))
            .1;
        after.split('"').next().unwrap_or_default().to_owned()
    };
    let (realm, nonce) = (field("realm"), field("nonce"));
    let (ha1, ha2) = (hex_md5(&format!("{user}:{realm}:{password}")), hex_md5(&format!("{method}:{uri}")));
    let response = hex_md5(&format!("{ha1}:{nonce}:00000001:c0ffee:auth:{ha2}"));
    format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", \
         algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c0ffee\""
    )
}

fn hex_md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
