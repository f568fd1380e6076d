//! What goes wrong in a script.

use std::time::Duration;

/// Why a function of the host table can't do what a script asks. The script sees it as an error of its language.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HostError {
    /// FreeSWITCH's words, which are SWIG's.
    #[error("Error in {function} expected {least}..{most} args, got {got}")]
    Count { function: String, least: usize, most: usize, got: usize },
    #[error("Error in {function} (arg {position}), expected '{expected}' got '{got}'")]
    Kind { function: String, position: usize, expected: &'static str, got: &'static str },
    #[error("there is no function {0}")]
    Unknown(String),
    #[error("{0} belongs to calls, and there are no calls here")]
    Calls(&'static str),
    #[error("{0} is not built in")]
    NotBuiltIn(&'static str),
    #[error("the object is gone")]
    Gone,
    #[error("a script may have {most} {what} at once")]
    TooMany { what: &'static str, most: usize },
    #[error("a script may write {most} octets")]
    WritesTooMuch { most: usize },
    #[error("the script took longer than {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("scripts are being stopped")]
    Stopping,
}

/// Why a script did not run to its end.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ScriptError {
    #[error("no script is named")]
    Nothing,
    /// Syntax errors, missing files and errors at run time, in the words of the language, with its traceback.
    #[error("{0}")]
    Script(String),
    #[error("the script took longer than {} s (time-limit)", .0.as_secs_f32())]
    Time(Duration),
    #[error("the script needed more than {} MiB (memory-limit)", .0 >> 20)]
    Memory(usize),
    #[error("the script ended without an answer: {0}")]
    Lost(&'static str),
}
