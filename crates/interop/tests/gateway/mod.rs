//! A web server of the test's own, which answers questions for sections of the configuration.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// What the fields of a question are answered: the status and the body; nothing at all for none.
pub type Answers = fn(&str) -> Option<(&'static str, String)>;

/// Tells the test what it was asked.
pub struct Gateway {
    address: SocketAddr,
    asked: Receiver<String>,
}

impl Gateway {
    pub fn answering(answers: Answers) -> Gateway {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback socket");
        let address = listener.local_addr().expect("a bound socket");
        let (tell, asked) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let tell = tell.clone();
                std::thread::spawn(move || serve(stream, answers, &tell));
            }
        });
        Gateway { address, asked }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The fields of the next question.
    pub fn asked(&self) -> String {
        self.asked.recv_timeout(Duration::from_secs(10)).expect("a question")
    }
}

/// The value of a field that needs no percent encoding.
pub fn field<'a>(asked: &'a str, name: &str) -> &'a str {
    let mut fields = asked.split('&').filter_map(|field| field.split_once('='));
    fields.find(|(known, _)| *known == name).map_or("", |(_, value)| value)
}

/// One request a connection; what fails ends it.
fn serve(mut stream: TcpStream, answers: Answers, tell: &Sender<String>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let asked = read(&mut reader)?;
    let answer = answers(&asked);
    // The test may be over.
    let _ = tell.send(asked);
    let Some((status, body)) = answer else {
        // Until the client has had enough of it.
        return reader.read(&mut [0]).ok().map(drop);
    };
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).ok()
}

fn read(reader: &mut impl BufRead) -> Option<String> {
    let (mut line, mut length) = (String::new(), 0);
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
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}
