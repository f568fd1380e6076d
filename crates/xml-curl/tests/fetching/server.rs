//! A web server of the test's own, which answers as a path says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub const PLAN: &str = "<document type=\"freeswitch/xml\"><section name=\"chatplan\">\
                        <context name=\"default\"/></section></document>";

/// Answers until the test ends.
pub struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A request.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `POST /path`
    pub start: String,
    pub authorization: String,
    pub content_type: String,
    pub body: String,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback socket");
        let address = listener.local_addr().expect("a bound socket");
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let seen = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = seen.clone();
                std::thread::spawn(move || serve(stream, &seen));
            }
        });
        Self { address, asked }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("nobody panicked").clone()
    }
}

/// An address at which nobody listens.
pub fn refused_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback socket");
    listener.local_addr().expect("a bound socket")
}

/// One request a connection; what fails ends it.
fn serve(stream: TcpStream, seen: &Mutex<Vec<Asked>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    let asked = read(&mut reader)?;
    seen.lock().ok()?.push(asked.clone());
    match answer(&asked) {
        Some(text) => stream.write_all(text.as_bytes()).ok(),
        // Until the client has had enough of it.
        None => reader.read(&mut [0]).ok().map(drop),
    }
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut asked =
        Asked { start: line.trim_end().strip_suffix(" HTTP/1.1")?.to_owned(), ..Asked::default() };
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "content-type" => asked.content_type = value.trim().to_owned(),
            "authorization" => asked.authorization = value.trim().to_owned(),
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
    let path = asked.start.split_once(' ')?.1;
    let page = path.split('?').next()?;
    Some(match page {
        "/plan" => ok(PLAN),
        "/user" => ok(&user("")),
        "/kept" => ok(&user("cacheable=\"3600000\"")),
        "/not-found" => {
            ok("<document><section name=\"result\"><result status=\"not found\"/></section></document>")
        }
        "/cut" => ok(&PLAN[..PLAN.len() - 15]),
        // The server is gone before it has sent what it promised.
        "/broken-off" => head("200 OK", "", PLAN.len() + 100) + PLAN,
        "/silent" => return None,
        "/huge" => ok(&format!("<document>{}</document>", " ".repeat(2 << 20))),
        "/endless" => head("200 OK", "", usize::MAX >> 1) + &" ".repeat(4 << 20),
        "/error" => head("500 Internal Server Error", "", 0),
        "/loop" => head("302 Found", "Location: /loop\r\n", 0),
        "/moved" => head("307 Temporary Redirect", "Location: /plan\r\n", 0),
        "/digest" => digest(asked, "MD5"),
        "/digest256" => digest(asked, "SHA-256"),
        "/basic" if asked.authorization == "Basic dXNlcjpwYXNz" => ok(PLAN),
        "/basic" => head("401 Unauthorized", "WWW-Authenticate: Basic realm=\"r\"\r\n", 0),
        _ => head("404 Not Found", "", 0),
    })
}

fn user(attributes: &str) -> String {
    format!(
        "<document><section name=\"directory\"><domain name=\"d\"><user id=\"u\" {attributes}/></domain></section>\
         </document>"
    )
}

/// Takes what looks like an answer to its challenge; that the proof is right is `chappe-sip-proto`'s test.
fn digest(asked: &Asked, algorithm: &str) -> String {
    let path = asked.start.split_once(' ').map_or("", |(_, path)| path);
    let parts = [
        "Digest username=\"user\"",
        "realm=\"r\"",
        "nonce=\"n1\"",
        &format!("uri=\"{path}\""),
        "qop=auth",
        "opaque=\"o\"",
    ];
    if parts.iter().all(|part| asked.authorization.contains(part)) {
        return ok(PLAN);
    }
    let challenge = format!(
        "WWW-Authenticate: Basic realm=\"r\"\r\n\
         WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", algorithm={algorithm}, qop=\"auth\", opaque=\"o\"\r\n"
    );
    head("401 Unauthorized", &challenge, 0)
}

fn ok(body: &str) -> String {
    head("200 OK", "Content-Type: text/xml\r\n", body.len()) + body
}

fn head(status: &str, headers: &str, length: usize) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n")
}
