//! The process that is measured.

mod kamailio;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use chappe_sip_msg::{Method, RequestWriter};
use tempfile::TempDir;

use crate::cgroup::Group;
use crate::error::BenchError;
use crate::folder::Setup;
use crate::{folder, machine};

const START: Duration = Duration::from_secs(10);
const END: Duration = Duration::from_secs(10);
/// Where the sample configuration has the profile for devices.
pub const SAMPLE_PORT: u16 = 5060;
/// What ends a process that is stopped; those that it has started end by themselves.
const EVEN_AT_REST: libc::c_int = libc::SIGKILL;

/// A server on a core of its own; ended when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddrV4,
    /// Where it listens for connections.
    pub connections: SocketAddrV4,
    /// Of the event socket, if it has one.
    pub events: Option<SocketAddrV4>,
    /// From its start to its first answer.
    pub answers_after: Duration,
    /// Configuration and log.
    folder: Arc<TempDir>,
}

impl Server {
    /// Starts this program again as the floor relay.
    pub fn floor(core: usize, sender: SocketAddrV4, receiver: SocketAddrV4) -> Result<Self, BenchError> {
        let program = std::env::current_exe().map_err(BenchError::system("find this program"))?;
        let mut command = Command::new(program);
        command.args(["floor", &sender.to_string(), &receiver.to_string()]).stdout(Stdio::piped());
        let mut server = Self::spawn(command, core, 0)?;
        let mut line = String::new();
        if let Some(out) = server.child.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(BenchError::system("read the relay's port"))?;
        }
        let port = line.trim().parse().map_err(|_| server.failed("printed no port"))?;
        server.address.set_port(port);
        Ok(server)
    }

    /// Starts `chappe serve` with a configuration, and waits until it answers.
    pub fn chappe(program: &Path, core: usize, setup: Setup) -> Result<Self, BenchError> {
        Self::chappe_on(program, &[core], setup)
    }

    /// The same on several cores, with each shard on one of them.
    pub fn chappe_on(program: &Path, cores: &[usize], setup: Setup) -> Result<Self, BenchError> {
        let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
        let ports = folder::write(folder.path(), setup)?;
        let mut server = Self::serve_on(program, cores, Arc::new(folder), ports.sip)?;
        if cores.len() > 1 {
            for (shard, core) in server.shards().into_iter().zip(cores) {
                machine::pin_thread(shard, *core).map_err(BenchError::system("keep a shard on a core"))?;
            }
        }
        server.connections.set_port(ports.connections);
        server.events = ports.events.map(|port| SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
        Ok(server)
    }

    /// Starts `chappe serve` with the configuration in a folder, and what an earlier one left there, and waits until it
    /// answers at the port.
    pub fn serve(program: &Path, core: usize, folder: Arc<TempDir>, port: u16) -> Result<Self, BenchError> {
        Self::serve_on(program, &[core], folder, port)
    }

    /// Starts `chappe serve` as a newcomer does, with the sample configuration and a folder to work in, and waits until it
    /// answers.
    pub fn sample(program: &Path, core: usize, folder: Arc<TempDir>) -> Result<Self, BenchError> {
        let mut command = Command::new(program);
        command.arg("serve").current_dir(folder.path());
        Self::begin(command, &[core], folder, SAMPLE_PORT)
    }

    fn serve_on(
        program: &Path,
        cores: &[usize],
        folder: Arc<TempDir>,
        port: u16,
    ) -> Result<Self, BenchError> {
        let mut command = Command::new(program);
        command.args(["serve", "--conf"]).arg(folder.path());
        Self::begin(command, cores, folder, port)
    }

    fn begin(
        mut command: Command,
        cores: &[usize],
        folder: Arc<TempDir>,
        port: u16,
    ) -> Result<Self, BenchError> {
        let program = Path::new(command.get_program());
        if !program.is_file() {
            return Err(BenchError::NoServer(program.to_owned()));
        }
        command.stdout(Stdio::null());
        let begun = Instant::now();
        let mut server = Self::spawn_in(folder, command, cores, port, EVEN_AT_REST)?;
        server.wait_until_it_answers()?;
        server.answers_after = begun.elapsed();
        Ok(server)
    }

    /// Lets it use a part of its core only.
    pub fn limit(&self, to: &Group) -> Result<(), BenchError> {
        to.take_process(self.child.id()).map_err(BenchError::system("limit the server"))
    }

    /// Stops its processes, or has them go on. What is due meanwhile they do when they go on.
    pub fn rest(&self, rests: bool) {
        self.signal_all(if rests { libc::SIGSTOP } else { libc::SIGCONT });
    }

    fn signal_all(&self, signal: libc::c_int) {
        // SAFETY: the call takes numbers alone; the process leads a group of its number.
        unsafe { libc::kill(-(self.child.id() as libc::pid_t), signal) };
    }

    fn signal(&self, signal: libc::c_int) {
        // SAFETY: the process is our child and was not waited for, so its id is its own.
        unsafe { libc::kill(self.child.id() as libc::pid_t, signal) };
    }

    /// Ends it; what it leaves.
    pub fn end(self) -> Arc<TempDir> {
        self.folder.clone()
    }

    /// CPU time that it and its worker processes have used.
    pub fn cpu_time(&self) -> Result<Duration, BenchError> {
        let mut sum = machine::cpu_time(self.child.id())?;
        for worker in machine::children(self.child.id()) {
            sum += machine::cpu_time(worker)?;
        }
        Ok(sum)
    }

    /// CPU time of each of its threads, by their ids. Those of worker processes are left out.
    pub fn threads(&self) -> Vec<(u32, Duration)> {
        machine::threads(self.child.id())
    }

    /// The threads that have a socket of the port, by their ids, in order.
    pub fn shards(&self) -> Vec<u32> {
        let threads = machine::named_threads(self.child.id()).into_iter();
        let number = |name: &str| name.strip_prefix(folder::PROFILE)?.strip_prefix('/')?.parse::<u32>().ok();
        let mut shards: Vec<_> = threads.filter_map(|(id, name)| Some((number(&name)?, id))).collect();
        shards.sort_unstable();
        shards.into_iter().map(|(_, id)| id).collect()
    }

    /// Octets of memory that it and the processes it has started have at the moment, what they share counted once.
    pub fn memory(&self) -> Result<u64, BenchError> {
        let mut sum = machine::proportional(self.child.id())?;
        for worker in machine::children(self.child.id()) {
            sum += machine::proportional(worker)?;
        }
        Ok(sum)
    }

    /// Octets of memory that it has at the moment.
    pub fn resident(&self) -> Result<u64, BenchError> {
        machine::resident(self.child.id())
    }

    /// Sockets that it has open.
    pub fn sockets(&self) -> usize {
        machine::sockets(self.child.id())
    }

    fn spawn(command: Command, core: usize, port: u16) -> Result<Self, BenchError> {
        let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
        Self::spawn_in(Arc::new(folder), command, &[core], port, EVEN_AT_REST)
    }

    /// `ends_by`: the signal that it gets when this program is gone.
    fn spawn_in(
        folder: Arc<TempDir>,
        mut command: Command,
        cores: &[usize],
        port: u16,
        ends_by: libc::c_int,
    ) -> Result<Self, BenchError> {
        let log = File::create(folder.path().join("log")).map_err(BenchError::system("make a log"))?;
        // In a group of its own: were it stopped in that of this program, the system would end all of the group once nobody of the
        // session looks after it any more (setpgid(2), orphaned process groups).
        command.stdin(Stdio::null()).stderr(log).process_group(0);
        let cores = cores.to_vec();
        // SAFETY: between fork and exec each of the two makes one system call and allocates nothing.
        unsafe {
            command.pre_exec(move || machine::pin_to(&cores).and_then(|()| machine::end_with_parent(ends_by)))
        };
        let child = command.spawn().map_err(BenchError::system("start the server"))?;
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        let answers_after = Duration::ZERO;
        Ok(Server { child, address, connections: address, events: None, answers_after, folder })
    }

    fn wait_until_it_answers(&mut self) -> Result<(), BenchError> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|socket| socket.set_read_timeout(Some(Duration::from_millis(5))).map(|()| socket))
            .map_err(BenchError::system("open a socket"))?;
        let end = Instant::now() + START;
        let mut request = Vec::new();
        let from = socket.local_addr().map_err(BenchError::system("open a socket"))?;
        for number in 0.. {
            if self.child.try_wait().map_err(BenchError::system("look at the server"))?.is_some() {
                return Err(self.failed("ended"));
            }
            if Instant::now() > end {
                return Err(self.failed("does not answer"));
            }
            request.clear();
            options(&from.to_string(), number, &mut request);
            let asked = socket.send_to(&request, self.address).and_then(|_| socket.recv(&mut [0; 4096]));
            match asked {
                Ok(_) => return Ok(()),
                // Nobody listens yet.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    thread::sleep(Duration::from_millis(1));
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn failed(&self, what: &'static str) -> BenchError {
        BenchError::Server { what, log: self.log().unwrap_or_default() }
    }

    /// The end of the log.
    fn log(&self) -> io::Result<String> {
        let mut file = File::open(self.folder.path().join("log"))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(2000)))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// A request that costs next to nothing; `number` keeps those from one address apart.
pub fn options(from: &str, number: u32, out: &mut Vec<u8>) {
    let mut request = RequestWriter::new(Method::Options, format!("sip:{}", folder::DOMAIN), out);
    request
        .header("Via", format!("SIP/2.0/UDP {from};rport;branch=z9hG4bK-ready-{number}"))
        .header("Max-Forwards", "70")
        .header("From", format!("<sip:ready@{}>;tag=ready", folder::DOMAIN))
        .header("To", format!("<sip:{}>", folder::DOMAIN))
        .header("Call-ID", format!("ready-{number}@{from}"))
        .header("CSeq", "1 OPTIONS");
    request.finish();
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that rests would not hear of it.
        self.rest(false);
        self.signal(libc::SIGTERM);
        let end = Instant::now() + END;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What it has started and left behind.
        self.signal_all(libc::SIGKILL);
    }
}
