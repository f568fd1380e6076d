//! The start of the server, what it takes when it has nothing to do, and the size of its program.

use std::fmt::Write as _;
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::Options;
use crate::error::BenchError;
use crate::fleet::program;
use crate::folder::Setup;
use crate::machine;
use crate::server::Server;
use crate::spread::median;

/// Starts that are measured.
const STARTS: usize = 10;
/// After this long a server that has nothing to do has settled.
const SETTLES: Duration = Duration::from_secs(2);
/// How long the sample configuration may take to start.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was found.
pub struct Facts {
    /// Milliseconds from the start of the process to its first answer, with nothing there but the configuration, and with
    /// what the first start left there.
    starts: [f64; 2],
    /// Octets in memory with the sample configuration.
    idle: u64,
    /// Octets of the program.
    program: u64,
}

impl Facts {
    pub fn measure(options: &Options) -> Result<Self, BenchError> {
        let path = program(options.chappe.as_ref())?;
        let mut starts = [const { Vec::new() }; 2];
        for _ in 0..STARTS {
            let setup = Setup { users: 100, ..Setup::default() };
            let server = Server::chappe(&path, options.server_core, setup)?;
            let (first, port) = (server.answers_after, server.address.port());
            let again = Server::serve(&path, options.server_core, server.end(), port)?.answers_after;
            for (times, time) in starts.iter_mut().zip([first, again]) {
                times.push(time.as_secs_f64() * 1e3);
            }
        }
        let size =
            std::fs::metadata(&path).map_err(BenchError::system("look at the server's program"))?.len();
        Ok(Self { starts: starts.map(median), idle: idle(&path)?, program: size })
    }

    pub fn markdown(&self) -> String {
        let megabytes = |octets: u64| octets as f64 / 1024.0 / 1024.0;
        let mut out = String::from("| | |\n|---|---|\n");
        let _ = writeln!(
            out,
            "| from the start of the process to the first answer, 100 users, the first time / again | {:.0} ms / {:.0} ms |",
            self.starts[0], self.starts[1]
        );
        let _ = writeln!(
            out,
            "| in memory with the sample configuration, nothing to do | {:.1} MiB |",
            megabytes(self.idle)
        );
        let _ = writeln!(out, "| the program | {:.1} MiB |", megabytes(self.program));
        out
    }
}

/// Memory of a server that was started as a newcomer starts it, but for its ports.
fn idle(path: &std::path::Path) -> Result<u64, BenchError> {
    // Its ports may be taken by another server of this machine: then there is nothing to be seen.
    let is_free = UdpSocket::bind(("127.0.0.1", 5060)).is_ok();
    if !is_free {
        return Ok(0);
    }
    let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
    let mut command = Command::new(path);
    command.arg("serve").current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(BenchError::system("start the server"))?;
    thread::sleep(SETTLES);
    let octets = machine::resident(child.id());
    // SAFETY: the process is our child and was not waited for, so its id is its own.
    unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGTERM) };
    let end = Instant::now() + PATIENCE;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    octets
}
