//! The client ends of idle connections, in a process of their own: one process may not have as many files open as there are
//! connections.
//!
//! The process does what lines of its input say, and answers each with a line: `open 900` opens so many more, `count` asks how
//! many there are open. It ends with its input.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::certificates;
use crate::error::BenchError;
use crate::machine;
use crate::register::register_over;
use crate::streams::Connection;
use crate::transport::Transport;

/// Connections from one address: below the server's default of `max-connections-per-ip`.
const FROM_ONE: usize = 900;

/// The process, for who has started it; ended when dropped.
pub struct Holder {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Holder {
    /// Of connections to this server, with a user registered over each or without.
    pub fn start(server: SocketAddrV4, authority: &Path, is_registered: bool) -> Result<Self, BenchError> {
        let program = std::env::current_exe().map_err(BenchError::system("find this program"))?;
        let mut command = Command::new(program);
        command.arg("hold").arg(server.to_string()).arg(authority);
        if is_registered {
            command.arg("--register");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // SAFETY: between fork and exec it makes one system call and allocates nothing.
        unsafe { command.pre_exec(|| machine::end_with_parent(libc::SIGTERM)) };
        let mut child = command.spawn().map_err(BenchError::system("start a holder of connections"))?;
        let input = child.stdin.take();
        let output = child.stdout.take().expect("the output is a pipe");
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    /// Opens so many more.
    pub fn open(&mut self, count: u32) -> Result<(), BenchError> {
        self.ask(&format!("open {count}")).map(drop)
    }

    /// How many of them the server has not closed.
    pub fn count(&mut self) -> Result<u32, BenchError> {
        self.ask("count")
    }

    fn ask(&mut self, what: &str) -> Result<u32, BenchError> {
        let asked = self.input.as_mut().map(|input| writeln!(input, "{what}"));
        let mut answer = String::new();
        // One that has ended has said why.
        let read = asked.unwrap_or(Ok(())).and_then(|()| self.output.read_line(&mut answer));
        read.map_err(BenchError::system("ask a holder of connections"))?;
        let number = answer.trim().parse();
        number.map_err(|_| BenchError::Connection(format!("the holder of connections did not {what}")))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}

/// What the process does.
pub fn hold(server: SocketAddrV4, authority: &Path, is_registered: bool) -> Result<(), BenchError> {
    certificates::inherit(authority)?;
    let mut open_ones = Vec::new();
    let mut out = io::stdout();
    for line in io::stdin().lines() {
        let line = line.map_err(BenchError::system("read what to do"))?;
        let count = match line.strip_prefix("open ") {
            Some(more) => {
                for _ in 0..more.parse().unwrap_or(0u32) {
                    open_ones.push(open(server, open_ones.len(), is_registered)?);
                }
                open_ones.len()
            }
            None => open_ones.iter().filter(|stream| is_open(stream)).count(),
        };
        writeln!(out, "{count}").and_then(|()| out.flush()).map_err(BenchError::system("answer"))?;
    }
    Ok(())
}

fn open(server: SocketAddrV4, number: usize, is_registered: bool) -> Result<TcpStream, BenchError> {
    let further = u32::try_from(number / FROM_ONE).unwrap_or(0);
    let source = Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + further);
    let mut connection = Connection::open_from(source, Transport::Tls, server)?;
    if is_registered {
        register_over(&mut connection, &format!("u{number}"))?;
    }
    connection.begin()?;
    Ok(connection.leave())
}

/// Whether the server has not closed it. What it has sent after the handshake (tickets) comes before that.
fn is_open(mut stream: &TcpStream) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_connection_is_open_until_the_other_end_closes_it() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut other, _) = listener.accept().unwrap();
        other.write_all(b"a ticket").unwrap();
        other.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(!is_open(&stream));
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let _other = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        assert!(is_open(&stream));
    }
}
