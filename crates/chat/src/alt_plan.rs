//! The files that a message's `alt_path` names instead of the chatplan section.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use chappe_chatplan::Plan;

/// The plan of a file once it is read; `None` when there is none, which its reader has said why.
pub type Opening = Pin<Box<dyn Future<Output = Option<Arc<Plan>>> + Send>>;

/// Finds the plan in a file. The chatplan asks each time a message has an `alt_path`, so keep what was read.
pub trait AltPlans: Send + Sync {
    /// Opens the file at `path`. Called on a shard: must not block, the future neither.
    fn open(&self, path: &str) -> Opening;
}

/// No file is ever found.
pub struct NoAltPlans;

impl AltPlans for NoAltPlans {
    fn open(&self, _path: &str) -> Opening {
        Box::pin(ready(None))
    }
}
