//! What sets the languages apart.

use std::path::PathBuf;
use std::time::Duration;

use crate::{ScriptError, Value};

/// A language that has workers.
pub struct Language {
    /// What the log and the configuration call it: `python`.
    pub name: &'static str,
    /// The interpreter where the configuration names none.
    pub interpreter: &'static str,
    /// The line that makes the interpreter read its program from the socket; the arguments before it included.
    pub(super) bootstrap: &'static [&'static str],
    /// The programs: what scripts import, and what runs them. The second finds the first.
    pub(super) library: &'static str,
    pub(super) program: &'static str,
    /// The variable of the environment in which the interpreter looks for modules.
    pub(super) path: &'static str,
    /// The interpreter's own argument for a limit in MiB, where the machine's limit on address space does it no good.
    pub(super) memory: Option<fn(u64) -> String>,
    /// Takes apart what the chatplan or the command says.
    pub(super) words: fn(&str) -> Result<Vec<Value>, ScriptError>,
}

/// How a pool is set up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The interpreter: a name on the PATH or a path, a virtual environment's for instance.
    pub interpreter: PathBuf,
    /// Where scripts are looked for.
    pub scripts: PathBuf,
    /// Processes at once, at least 1.
    pub workers: usize,
    /// Scripts that may wait for a worker; when so many wait, the next message is refused.
    pub queue: usize,
    /// How long a script may take before its worker is ended; `None` for as long as it likes.
    pub time_limit: Option<Duration>,
    /// What a worker may have of memory, in octets; `None` for as much as it likes.
    pub memory_limit: Option<u64>,
    /// A script's code runs again for each message, as in FreeSWITCH, not only after a change of its file.
    pub reload_always: bool,
}
