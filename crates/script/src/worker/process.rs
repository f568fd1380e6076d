//! One worker process: how it is started, spoken to and ended.

use std::ffi::OsString;
use std::io::{self, BufReader, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;

use super::wire::{self, Order, Said, WireError};
use super::{Language, Settings, log};
use crate::Value;

/// How long an interpreter may take to say that it is there.
const START: Duration = Duration::from_secs(20);
/// How long a worker may take to read what it is told.
const WRITE: Duration = Duration::from_secs(10);

/// A process that has closed its end of the line is mostly about to end by itself: so many moments it is waited for.
const GRACE: u32 = 20;
const MOMENT: Duration = Duration::from_millis(5);

/// Moves the socket away from standard input, so that nothing a script reads or prints reaches it, and sets the limit on
/// address space. Where the machine knows how, the process ends when the server's thread does, even in an endless loop.
const LAUNCHER: &str = r#"exec 3<&0 0</dev/null
[ -z "$1" ] || ulimit -v "$1" || exit 1
shift
command -v setpriv >/dev/null && exec setpriv --pdeathsig KILL -- "$@"
exec "$@""#;

/// Why a worker can't be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("there is no interpreter {} for {language}; install it, or name another one (param interpreter)", .interpreter.display())]
    Absent { language: &'static str, interpreter: PathBuf },
    #[error("the interpreter {} does not do: {why}", .interpreter.display())]
    Unfit { interpreter: PathBuf, why: String },
    #[error("the interpreter {} ended at once ({how}); what it printed is in the log", .interpreter.display())]
    Ended { interpreter: PathBuf, how: String },
    #[error("the interpreter {} does not answer within {} s", .interpreter.display(), START.as_secs())]
    Silent { interpreter: PathBuf },
    #[error("failed to start {}: {error}", .interpreter.display())]
    System { interpreter: PathBuf, error: io::Error },
}

/// A running worker; ended when dropped.
pub(super) struct Worker {
    child: Arc<Mutex<Child>>,
    wire: BufReader<UnixStream>,
    /// What the interpreter says it is.
    pub(super) version: String,
}

/// Why a worker can't be talked to any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Gone {
    #[error("it ended")]
    Ended,
    #[error("it took too long")]
    Late,
    #[error("it said something else than a worker says: {0}")]
    Wire(#[from] WireError),
    #[error(transparent)]
    System(io::Error),
}

impl Worker {
    /// Starts an interpreter and waits until it is ready. It ends with the thread that calls this.
    pub(super) fn start(language: &Language, settings: &Settings) -> Result<Self, StartError> {
        let interpreter = find(&settings.interpreter).ok_or_else(|| StartError::Absent {
            language: language.name,
            interpreter: settings.interpreter.clone(),
        })?;
        let system = |error| StartError::System { interpreter: interpreter.clone(), error };
        let (ours, theirs) = UnixStream::pair().map_err(system)?;
        let (printed, print) = io::pipe().map_err(system)?;
        log::follow(language.name, printed).map_err(system)?;
        ours.set_write_timeout(Some(WRITE)).map_err(system)?;
        let mut command = command(language, settings, &interpreter);
        command.stdin(OwnedFd::from(theirs)).stdout(print.try_clone().map_err(system)?).stderr(print);
        let child = command.spawn().map_err(system)?;
        // What of this the command holds would keep the socket open when the worker ends.
        drop(command);
        let child = Arc::new(Mutex::new(child));
        let mut worker =
            Self { child, wire: BufReader::with_capacity(1 << 16, ours), version: String::new() };
        worker.greet(language, settings, interpreter)?;
        Ok(worker)
    }

    /// Hands the programs over and waits for the worker's first word.
    fn greet(
        &mut self,
        language: &Language,
        settings: &Settings,
        interpreter: PathBuf,
    ) -> Result<(), StartError> {
        let told = self.tell(&[
            language.program,
            language.library,
            if settings.reload_always { "always" } else { "" },
        ]);
        // One that does not do may have said so and ended before it was told everything.
        let said = match told {
            Ok(()) | Err(Gone::Ended) => self.hear(Some(START)),
            Err(gone) => Err(gone),
        };
        match said {
            Ok(Said::Hello(version)) => {
                self.version = version;
                Ok(())
            }
            Ok(Said::Unfit(why)) => Err(StartError::Unfit { interpreter, why }),
            Ok(_) => Err(StartError::Unfit { interpreter, why: "it says something odd".to_owned() }),
            Err(Gone::Late) => Err(StartError::Silent { interpreter }),
            Err(Gone::System(error)) => Err(StartError::System { interpreter, error }),
            Err(Gone::Wire(error)) => Err(StartError::Unfit { interpreter, why: error.to_string() }),
            Err(Gone::Ended) => Err(StartError::Ended { interpreter, how: self.ended() }),
        }
    }

    fn tell(&mut self, texts: &[&str]) -> Result<(), Gone> {
        let mut octets = Vec::new();
        for text in texts {
            octets.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            octets.extend_from_slice(text.as_bytes());
        }
        self.socket().write_all(&octets).map_err(gone)
    }

    /// Says something to the worker. A text that is too long for a frame is an error of this kind:
    /// [`io::ErrorKind::InvalidInput`].
    pub(super) fn say(&mut self, order: Order, values: &[Value]) -> Result<(), Gone> {
        wire::write(&mut self.socket(), order, values).map_err(gone)
    }

    /// Waits for what the worker says next.
    pub(super) fn hear(&mut self, patience: Option<Duration>) -> Result<Said, Gone> {
        // No time at all would mean for ever.
        let patience = patience.map(|patience| patience.max(Duration::from_millis(1)));
        self.socket().set_read_timeout(patience).map_err(gone)?;
        let frame: Bytes = wire::read(&mut self.wire).map_err(gone)?.ok_or(Gone::Ended)?;
        Ok(wire::understand(frame)?)
    }

    /// Whether the process is there still: the machine may have ended it while it had nothing to do.
    pub(super) fn is_alive(&self) -> bool {
        matches!(self.child.lock().try_wait(), Ok(None))
    }

    /// How the process ended, whose end of the line is closed. It is ended if it goes on without.
    pub(super) fn ended(&self) -> String {
        let mut child = self.child.lock();
        for _ in 0..GRACE {
            if !matches!(child.try_wait(), Ok(None)) {
                break;
            }
            thread::sleep(MOMENT);
        }
        end(&mut child).map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    /// What ends this worker from another thread.
    pub(super) fn breaker(&self) -> io::Result<Breaker> {
        Ok(Breaker { socket: self.socket().try_clone()?, child: self.child.clone() })
    }

    fn socket(&self) -> &UnixStream {
        self.wire.get_ref()
    }
}

/// It may have ended already: then it is not hurt.
fn end(child: &mut Child) -> io::Result<ExitStatus> {
    let _ = child.kill();
    child.wait()
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Without a process there is nothing to end.
        let _ = end(&mut self.child.lock());
    }
}

/// Ends a worker whose thread may be waiting for it.
pub(super) struct Breaker {
    socket: UnixStream,
    child: Arc<Mutex<Child>>,
}

impl Breaker {
    pub(super) fn cut(&self) {
        // It may have ended already: then both fail, and that is fine.
        let _ = self.child.lock().kill();
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// A process group of its own keeps a terminal's Ctrl-C, which is meant for the server, from the scripts.
fn command(language: &Language, settings: &Settings, interpreter: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    let kib = settings.memory_limit.filter(|_| language.memory.is_none()).map(|octets| (octets >> 10).max(1));
    let limit = kib.map(|kib| kib.to_string()).unwrap_or_default();
    command.args(["-c", LAUNCHER, "chappe"]).arg(limit).arg(interpreter);
    if let (Some(argument), Some(octets)) = (language.memory, settings.memory_limit) {
        command.arg(argument((octets >> 20).max(1)));
    }
    command.args(language.bootstrap).env(language.path, search_path(language, settings)).process_group(0);
    command.stdin(Stdio::null());
    command
}

/// The folders of the environment's own come first, as in FreeSWITCH mod_python3.c `mod_python3_load`.
fn search_path(language: &Language, settings: &Settings) -> OsString {
    let mut path = std::env::var_os(language.path).unwrap_or_default();
    if !path.is_empty() {
        path.push(":");
    }
    path.push(&settings.scripts);
    path
}

/// The interpreter's path.
fn find(interpreter: &Path) -> Option<PathBuf> {
    if interpreter.components().count() > 1 || interpreter.is_absolute() {
        return interpreter.is_file().then(|| interpreter.to_owned());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(interpreter)).find(|path| path.is_file())
}

fn gone(error: io::Error) -> Gone {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Gone::Late,
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected => {
            Gone::Ended
        }
        _ => Gone::System(error),
    }
}
