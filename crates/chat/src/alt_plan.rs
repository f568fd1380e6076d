//! Plans that stand in for the configuration's: the file a message's `alt_path` names, and what somebody answers.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use chappe_chatplan::Plan;
use chappe_event::Event;

/// The plan of a file once it is read; `None` when there is none, which its reader has said why.
pub type Opening = Pin<Box<dyn Future<Output = Option<Arc<Plan>>> + Send>>;

/// Finds the plan in a file. The chatplan asks each time a message has an `alt_path`, so keep what was read.
pub trait AltPlans: Send + Sync {
    /// Opens the file at `path`. Called on a shard: must not block, the future neither.
    fn open(&self, path: &str) -> Opening;
}

/// Answers for the chatplan section, message by message.
pub trait PlanSource: Send + Sync {
    /// The plan for this message. `None`, now or once it is there: the configuration's section counts. Called on a shard:
    /// must not block, the future neither. Only this message waits for it.
    fn find(&self, message: &Event) -> Option<Opening>;
}

/// No file is ever found.
pub struct NoAltPlans;

impl AltPlans for NoAltPlans {
    fn open(&self, _path: &str) -> Opening {
        Box::pin(ready(None))
    }
}
