//! The seam between what starts scripts and what runs those of one language.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::{Harvest, Run, ScriptError};

/// Runs scripts of one language.
pub trait Engine: Send + Sync {
    /// Takes the job, which goes on elsewhere; never blocks. What becomes of it is sent to [`Job::done`].
    fn start(self: Arc<Self>, job: Job) -> Result<(), Refused>;
}

/// A script to run.
pub struct Job {
    /// What the chatplan or the command says: the script's name and its arguments, or code.
    pub line: String,
    pub run: Run,
    pub patience: Patience,
    /// Nobody may be listening any more.
    pub done: oneshot::Sender<Finished>,
}

/// How long a script may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// Somebody waits: the configuration's limit holds.
    Limited,
    /// It runs in the background, as long as it likes.
    Endless,
}

/// A script that has ended.
pub struct Finished {
    pub harvest: Harvest,
    pub outcome: Result<(), ScriptError>,
}

/// Why a script was not begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    #[error("too many scripts are waiting")]
    Full,
    #[error("scripts are being stopped")]
    Stopping,
}

/// Seconds after which it makes sense to try again when too many scripts wait.
pub(crate) const RETRY_AFTER_SECS: u32 = 1;
