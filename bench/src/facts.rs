//! The server as a newcomer starts it, with the sample configuration: how long its start takes, its memory when it has
//! nothing to do, and the size of its program.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::cli::Options;
use crate::error::BenchError;
use crate::fleet::program;
use crate::server::{SAMPLE_PORT, Server};
use crate::spread::median;

/// Starts that are measured.
const STARTS: usize = 10;
/// After this long a server that has nothing to do has settled.
const SETTLES: Duration = Duration::from_secs(2);

/// What was found.
pub struct Facts {
    /// Milliseconds from the start of the process to its first answer, with nothing in its folder, and with what the first
    /// start left there.
    starts: [f64; 2],
    /// Octets in memory.
    idle: u64,
    /// Octets of the program.
    program: u64,
}

impl Facts {
    pub fn measure(options: &Options) -> Result<Self, BenchError> {
        let path = program(options.chappe.as_ref())?;
        let core = options.server_core;
        let size =
            std::fs::metadata(&path).map_err(BenchError::system("look at the server's program"))?.len();
        Ok(Self { starts: starts(&path, core)?, idle: idle(&path, core)?, program: size })
    }

    pub fn markdown(&self) -> String {
        let megabytes = |octets: u64| octets as f64 / 1024.0 / 1024.0;
        let mut out = String::from("| with the sample configuration, on one core | |\n|---|---|\n");
        let _ = writeln!(
            out,
            "| from the start of the process to its first answer, the first time / again; medians of {STARTS} | {:.0} ms / \
             {:.0} ms |",
            self.starts[0], self.starts[1]
        );
        let _ = writeln!(out, "| in memory, nothing to do | {:.1} MiB |", megabytes(self.idle));
        let _ = writeln!(out, "| the program | {:.1} MiB |", megabytes(self.program));
        out
    }
}

fn starts(path: &Path, core: usize) -> Result<[f64; 2], BenchError> {
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..STARTS {
        let server = Server::sample(path, core, empty_folder()?)?;
        let first = server.answers_after;
        let again = Server::sample(path, core, server.end())?.answers_after;
        for (times, time) in times.iter_mut().zip([first, again]) {
            times.push(time.as_secs_f64() * 1e3);
        }
    }
    Ok(times.map(median))
}

/// Memory of a server with the sample configuration that nobody has asked anything but whether it is there.
fn idle(path: &Path, core: usize) -> Result<u64, BenchError> {
    let server = Server::sample(path, core, empty_folder()?)?;
    thread::sleep(SETTLES);
    server.resident()
}

/// For a server with the sample configuration, whose ports are not ours to choose.
fn empty_folder() -> Result<Arc<tempfile::TempDir>, BenchError> {
    // Were it taken, somebody else would answer for the server.
    UdpSocket::bind((Ipv4Addr::LOCALHOST, SAMPLE_PORT))
        .map_err(BenchError::system("take the port of the sample configuration"))?;
    tempfile::tempdir().map(Arc::new).map_err(BenchError::system("make a folder"))
}
