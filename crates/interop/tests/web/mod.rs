//! An HTTP server of the test's own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Answers `/silent` never and all else with JSON, and tells the test what it was asked.
pub struct Web {
    address: SocketAddr,
    asked: Receiver<Asked>,
}

/// A request.
#[derive(Debug)]
pub struct Asked {
    /// `POST /path`
    pub start: String,
    /// `name: value` each, in lower case.
    pub headers: Vec<String>,
    pub body: String,
}

impl Web {
    pub fn start() -> Web {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback socket");
        let address = listener.local_addr().expect("a bound socket");
        let (tell, asked) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let tell = tell.clone();
                std::thread::spawn(move || serve(stream, &tell));
            }
        });
        Web { address, asked }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request.
    pub fn asked(&self) -> Asked {
        self.asked.recv_timeout(Duration::from_secs(10)).expect("a request")
    }
}

/// One request a connection; what fails ends it.
fn serve(mut stream: TcpStream, tell: &Sender<Asked>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let asked = read(&mut reader)?;
    let silent = asked.start.ends_with("/silent");
    let body = format!("{{\"status\":\"queued\",\"length\":{}}}", asked.body.len());
    tell.send(asked).ok()?;
    if silent {
        // Until the client has had enough of it.
        return reader.read(&mut [0]).ok().map(drop);
    }
    let head =
        format!("HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).ok()
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let start = line.trim_end().strip_suffix(" HTTP/1.1")?.to_owned();
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        headers.push(header);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { start, headers, body: String::from_utf8(body).ok()? })
}
