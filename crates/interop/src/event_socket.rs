//! A client of the event socket that hears plain events. It shares no line with the server's own.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(15);

/// An authenticated connection.
pub struct EventSocket {
    stream: TcpStream,
    pending: Vec<u8>,
    events: VecDeque<Heard>,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Heard {
    /// In their order, decoded.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Heard {
    /// The value of the first header `name`; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
}

type Headers = Vec<(String, String)>;

struct Frame {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Frame {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

impl EventSocket {
    /// Connects to the event socket on `port` and gives the password.
    pub fn connect(port: u16) -> EventSocket {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the event socket listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut socket = EventSocket { stream, pending: Vec::new(), events: VecDeque::new() };
        assert_eq!(socket.frame().header("Content-Type"), "auth/request");
        assert_eq!(socket.command("auth ClueCon", &[], b""), "+OK accepted");
        socket
    }

    /// Subscribes to plain events, `CUSTOM SMS::DELIVERY_REPORT` for instance.
    pub fn subscribe(&mut self, events: &str) {
        let reply = self.command(&format!("event plain {events}"), &[], b"");
        assert!(reply.starts_with("+OK"), "{reply}");
    }

    /// Runs an API command; what it says.
    pub fn api(&mut self, command: &str) -> String {
        self.write(&format!("api {command}"), &[], b"");
        String::from_utf8_lossy(&self.answer().body).into_owned()
    }

    /// Fires `CUSTOM SMS::SEND_MESSAGE` with these headers.
    pub fn send_message(&mut self, headers: &[(&str, &str)], body: &[u8]) {
        let all = [&[("Event-Subclass", "SMS::SEND_MESSAGE")], headers].concat();
        let reply = self.command("sendevent CUSTOM", &all, body);
        assert!(reply.starts_with("+OK"), "{reply}");
    }

    /// The next event; fails the test when none comes.
    pub fn hear(&mut self) -> Heard {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let frame = self.frame();
            self.sort(frame);
        }
    }

    /// The next event of a kind; those of others are passed over.
    pub fn hear_where(&mut self, is_it: impl Fn(&Heard) -> bool) -> Heard {
        loop {
            let event = self.hear();
            if is_it(&event) {
                return event;
            }
        }
    }

    fn command(&mut self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        self.write(line, headers, body);
        self.answer().header("Reply-Text").to_owned()
    }

    fn write(&mut self, line: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut text = format!("{line}\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\n");
        }
        if !body.is_empty() {
            text += &format!("Content-Length: {}\n", body.len());
        }
        let written = self.stream.write_all(&[text.as_bytes(), b"\n", body].concat());
        written.expect("the event socket listens");
    }

    /// The reply to a command. Events that come before it are kept.
    fn answer(&mut self) -> Frame {
        loop {
            let frame = self.frame();
            if let Some(answer) = self.sort(frame) {
                return answer;
            }
        }
    }

    fn sort(&mut self, frame: Frame) -> Option<Frame> {
        if frame.header("Content-Type") != "text/event-plain" {
            return Some(frame);
        }
        let (headers, rest) = split(&frame.body).expect("an event's headers end");
        self.events.push_back(Heard { headers, body: String::from_utf8_lossy(rest).into_owned() });
        None
    }

    fn frame(&mut self) -> Frame {
        loop {
            if let Some((headers, rest)) = split(&self.pending) {
                let mut frame = Frame { headers, body: Vec::new() };
                let length = frame.header("Content-Length").parse().unwrap_or(0);
                if let Some(body) = rest.get(..length) {
                    frame.body = body.to_vec();
                    let used = self.pending.len() - rest.len() + length;
                    self.pending.drain(..used);
                    return frame;
                }
            }
            let mut piece = [0; 16_384];
            let count = self.stream.read(&mut piece).expect("the event socket says something");
            assert_ne!(count, 0, "the event socket closed the connection");
            self.pending.extend_from_slice(&piece[..count]);
        }
    }
}

/// The headers before the first blank line, and what follows it.
fn split(bytes: &[u8]) -> Option<(Headers, &[u8])> {
    let end = bytes.windows(2).position(|window| window == b"\n\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    Some((lines.map(|(name, value)| (name.to_owned(), decoded(value))).collect(), &bytes[end + 2..]))
}

/// `%XX` is an octet.
fn decoded(text: &str) -> String {
    let (mut octets, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(octet) => {
                octets.push(octet);
                rest = &after[2..];
            }
            None => {
                octets.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}
