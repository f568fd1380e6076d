//! What a registrar costs with very many users: REGISTERs a second, memory, a message to one of them, the start.
//!
//! Users register without a password, all in turn, then again; the growth of the server's memory is divided by the
//! bindings. Messages then go to users here and there, in turns with messages to a server that has a handful of users:
//! the ratio says what the size costs. The server is started again with what its store kept. Users with passwords, fewer,
//! register and write to themselves by digest, beside the same without.

mod drive;
mod folder;
mod request;
mod users;

use std::fmt::Write as _;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use self::drive::{Driver, Run, Until};
use self::folder::Setup;
use self::request::Template;
use self::users::{Everybody, Messages, Phones};
use crate::cli::RegistrarOptions;
use crate::error::BenchError;
use crate::machine;
use crate::rounds::program;
use crate::server::Server;
use crate::spread::{Spread, median};

/// Users of the server that messages are compared with.
const FEW: usize = 100;
/// Octets of a MESSAGE.
const SIZE: usize = 600;
/// How long a server may work on what it was asked, until its memory is looked at.
const SETTLES: Duration = Duration::from_secs(120);
/// RFC 3261 §17.2.2: so long an answer is remembered after it was given.
const TIMER_J: Duration = Duration::from_secs(32);
/// How long it may take to read what it knew.
const STARTS: Duration = Duration::from_secs(60);
/// What a table of rates begins with.
const HEAD: &str = "| | a second | server CPU each |\n|---|---|---|\n";
/// What it says then.
const RESTORED: &str = "registrations of an earlier run;";

/// Measures and prints.
pub fn run(options: &RegistrarOptions) -> Result<(), BenchError> {
    print!("{}", measure(options)?);
    Ok(())
}

/// Measures; the figures as Markdown.
pub fn measure(options: &RegistrarOptions) -> Result<String, BenchError> {
    machine::check_cores(options.server_core, options.load_core)?;
    machine::pin(options.load_core).map_err(BenchError::system("keep the load on its core"))?;
    let mut bench = Bench {
        options,
        program: program(options.chappe.as_ref())?,
        driver: Driver::new(options.window)?,
        out: HEAD.to_owned(),
    };
    bench.many()?;
    if options.known > 0 {
        bench.digest()?;
    }
    Ok(bench.out)
}

struct Bench<'o> {
    options: &'o RegistrarOptions,
    program: PathBuf,
    driver: Driver,
    out: String,
}

impl Bench<'_> {
    fn many(&mut self) -> Result<(), BenchError> {
        let users = self.options.bindings as usize;
        let (few, many) = (self.start(0)?, self.start(0)?);
        self.register(&few, FEW, Until::Sent(FEW))?;
        let before = many.resident()?;
        let first = self.register(&many, users, Until::Sent(users))?;
        self.row(&format!("REGISTER of {users} new users"), &[first]);
        let busy = many.resident()?;
        settle(&many)?;
        let after = many.resident()?;
        let grown = |now: u64| now.saturating_sub(before) as f64 / users as f64;
        let memory = (grown(after), grown(busy));
        let (with_few, with_many) = self.relays(&few, &many)?;
        self.row(&format!("MESSAGE to {FEW} users"), &with_few);
        self.row(&format!("MESSAGE to {users} users"), &with_many);
        let ratio = median(with_few.iter().zip(&with_many).map(|(few, many)| many.cpu / few.cpu));
        let refreshes = self.register(&many, users, Until::Over(self.seconds() * 2))?;
        self.row("REGISTER, refreshes", &[refreshes]);
        let started = self.restart(many)?;
        let _ = write!(
            self.out,
            "\n| {users} bindings | |\n|---|---|\n| octets of memory a binding | {:.0} |\n\
             | the same at the end of the REGISTERs | {:.0} |\n| CPU of a message to them / to {FEW} | {ratio:.2} |\n\
             | s until a started server answers | {:.2} |\n| s until it knows all of them | {:.2} |\n",
            memory.0, memory.1, started.0, started.1,
        );
        Ok(())
    }

    fn seconds(&self) -> Duration {
        Duration::from_secs(self.options.seconds.into())
    }

    fn start(&self, known: usize) -> Result<Server, BenchError> {
        let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
        let port = UdpSocket::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr());
        let port = port.map_err(BenchError::system("find a free port"))?.port();
        folder::write(folder.path(), Setup { port, known, tells: false })?;
        Server::serve(&self.program, self.options.server_core, Arc::new(folder), port)
    }

    fn register(&mut self, server: &Server, users: usize, until: Until) -> Result<Run, BenchError> {
        let template = Template::register(self.driver.ports[1].address);
        let mut everybody = Everybody { template, users, first: self.driver.base };
        self.told("REGISTER", server, |driver| driver.run(server, &mut everybody, until, false))
    }

    /// Rounds with few users and with many, in turns.
    fn relays(&mut self, few: &Server, many: &Server) -> Result<(Vec<Run>, Vec<Run>), BenchError> {
        let from = self.driver.ports[0].address;
        let window = std::mem::replace(&mut self.driver.window, self.options.window.min(FEW as u32 / 2));
        let (mut with_few, mut with_many) = (Vec::new(), Vec::new());
        for _ in 0..self.options.rounds {
            for (server, users, runs) in
                [(few, FEW, &mut with_few), (many, self.options.bindings as usize, &mut with_many)]
            {
                let mut messages = Messages { template: Template::message(from, "somebody", SIZE), users };
                let until = Until::Over(self.seconds());
                runs.push(
                    self.told("MESSAGE", server, |driver| driver.run(server, &mut messages, until, true))?,
                );
            }
        }
        self.driver.window = window;
        Ok((with_few, with_many))
    }

    /// Seconds until a server with this one's folder answers, and until it has all bindings.
    fn restart(&self, server: Server) -> Result<(f64, f64), BenchError> {
        let port = server.address.port();
        let folder = server.end();
        folder::write(folder.path(), Setup { port, known: 0, tells: true })?;
        let started = Instant::now();
        let server = Server::serve(&self.program, self.options.server_core, folder.clone(), port)?;
        let answers = started.elapsed().as_secs_f64();
        let known = until(&folder, started)?;
        eprintln!("started: answers after {answers:.2} s, knows everybody after {known:.2} s");
        drop(server);
        Ok((answers, known))
    }

    /// Users with passwords.
    fn digest(&mut self) -> Result<(), BenchError> {
        let known = self.options.known as usize;
        let server = self.start(known)?;
        let _ = write!(self.out, "\n{HEAD}");
        let mut phones = self.phones("REGISTER");
        let challenged = self.phone(&server, &mut phones, Until::Sent(known), false)?;
        self.row("REGISTER that is challenged", &[challenged]);
        self.phone(&server, &mut phones, Until::Sent(known), false)?;
        let refreshes = self.phone(&server, &mut phones, Until::Over(self.seconds()), false)?;
        self.row(&format!("REGISTER of {known} users, refreshes by digest"), &[refreshes]);
        let mut writers = self.phones("MESSAGE");
        self.phone(&server, &mut writers, Until::Sent(known), false)?;
        let messages = self.phone(&server, &mut writers, Until::Over(self.seconds()), true)?;
        self.row(&format!("MESSAGE of {known} users to themselves, by digest"), &[messages]);
        drop(server);
        let open = self.start(0)?;
        self.register(&open, known, Until::Sent(known))?;
        let refreshes = self.register(&open, known, Until::Over(self.seconds()))?;
        self.row(&format!("REGISTER of {known} users, refreshes without"), &[refreshes]);
        let mut messages = Messages {
            template: Template::message(self.driver.ports[0].address, "somebody", SIZE),
            users: known,
        };
        let until = Until::Over(self.seconds());
        let messages = self.told("MESSAGE", &open, |driver| driver.run(&open, &mut messages, until, true))?;
        self.row(&format!("MESSAGE to {known} users, without"), &[messages]);
        Ok(())
    }

    fn phones(&self, method: &'static str) -> Phones {
        let [sends, contact] = &self.driver.ports;
        let template = match method {
            "REGISTER" => Template::register(contact.address),
            _ => Template::message(sends.address, &folder::user(0), SIZE),
        };
        Phones::new(template, method, self.options.known as usize, self.driver.base)
    }

    fn phone(
        &mut self,
        server: &Server,
        phones: &mut Phones,
        until: Until,
        arrive: bool,
    ) -> Result<Run, BenchError> {
        phones.first = self.driver.base;
        let what = phones.method;
        self.told(what, server, |driver| driver.run(server, phones, until, arrive))
    }

    /// Runs, and says what came of it.
    fn told(
        &mut self,
        what: &str,
        server: &Server,
        run: impl FnOnce(&mut Driver) -> Result<Run, BenchError>,
    ) -> Result<Run, BenchError> {
        let run = run(&mut self.driver)?;
        let Run { rate, cpu, counts } = &run;
        eprintln!(
            "{what} at {}: {rate:.0}/s, {cpu:.2} µs; {} sent, {} done, {} retransmitted, refused {:?}",
            server.address, counts.sent, counts.done, counts.retransmitted, counts.refused
        );
        Ok(run)
    }

    fn row(&mut self, what: &str, runs: &[Run]) {
        let rate = Spread::of(runs.iter().map(|run| run.rate)).told(0, "");
        let cpu = Spread::of(runs.iter().map(|run| run.cpu)).told(2, " µs");
        let _ = writeln!(self.out, "| {what} | {rate} | {cpu} |");
    }
}

/// Waits until the server has forgotten the transactions, and has nothing left to do.
fn settle(server: &Server) -> Result<(), BenchError> {
    const PIECE: Duration = Duration::from_millis(500);
    std::thread::sleep(TIMER_J);
    let end = Instant::now() + SETTLES;
    let mut before = server.cpu_time()?;
    let mut calm = 0;
    while calm < 3 && Instant::now() < end {
        std::thread::sleep(PIECE);
        let now = server.cpu_time()?;
        calm = if now.saturating_sub(before) < PIECE / 50 { calm + 1 } else { 0 };
        before = now;
    }
    Ok(())
}

/// Seconds until the log says that everybody is known.
fn until(folder: &TempDir, started: Instant) -> Result<f64, BenchError> {
    let log: &Path = &folder.path().join("log");
    while started.elapsed() < STARTS {
        let text = std::fs::read_to_string(log).map_err(BenchError::system("read the server's log"))?;
        if let Some(line) = text.lines().find(|line| line.contains(RESTORED)) {
            eprintln!("{line}");
            return Ok(started.elapsed().as_secs_f64());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(BenchError::Server { what: "does not say what it restored", log: String::new() })
}
