//! An HTTP server of the test's own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// How a TLS record with a handshake begins, RFC 8446 §5.1.
const TLS_HANDSHAKE: u8 = 22;

/// Answers until the test ends.
pub struct Server {
    address: SocketAddr,
}

struct Asked {
    start: String,
    path: String,
    content_type: String,
    test: String,
    body: String,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback socket");
        let address = listener.local_addr().expect("a bound socket");
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || serve(stream));
            }
        });
        Self { address }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// An address at which nobody listens.
pub fn refused_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback socket");
    listener.local_addr().expect("a bound socket")
}

/// Requests until an answer says that the connection is closed; what fails ends it.
fn serve(stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    if reader.fill_buf().ok()?.first() == Some(&TLS_HANDSHAKE) {
        return stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").ok();
    }
    loop {
        let asked = read(&mut reader)?;
        match answer(&asked) {
            Some(text) => {
                stream.write_all(text.as_bytes()).ok()?;
                if text.contains("Connection: close") {
                    return Some(());
                }
            }
            // Until the client has had enough of it.
            None => return reader.read(&mut [0]).ok().map(drop),
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let start = line.trim_end().strip_suffix(" HTTP/1.1")?.to_owned();
    let path = start.split_once(' ')?.1.to_owned();
    let mut asked =
        Asked { start, path, content_type: "-".to_owned(), test: String::new(), body: String::new() };
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "content-type" => asked.content_type = value.trim().to_owned(),
            "x-test" => asked.test = value.trim().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    asked.body = String::from_utf8(body).ok()?;
    Some(asked)
}

/// None is silence.
fn answer(asked: &Asked) -> Option<String> {
    let path = asked.path.as_str();
    if path == "/silent" {
        return None;
    }
    if path == "/endless-pause" {
        return Some("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab".to_owned());
    }
    if path == "/missing" {
        let body = if asked.start.starts_with("HEAD") { "" } else { "gone" };
        return Some(format!(
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n{body}"
        ));
    }
    if path == "/to-file" {
        return Some(redirect("file:///etc/passwd"));
    }
    if let Some(more) = path.strip_prefix("/redirect/") {
        let more: u32 = more.parse().ok()?;
        let next = if more > 1 { format!("/redirect/{}", more - 1) } else { "/echo".to_owned() };
        return Some(redirect(&next));
    }
    if let Some(length) = path.strip_prefix("/body/") {
        return Some(ok(&"x".repeat(length.parse().ok()?)));
    }
    if path == "/header" {
        return Some(ok(&asked.test));
    }
    Some(ok(&format!("{}\n{}\n{}", asked.start, asked.content_type, asked.body)))
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn redirect(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
}
