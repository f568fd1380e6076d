//! The files that a message's `alt_path` names instead of the chatplan section.

use std::sync::Arc;

use chappe_chatplan::Plan;

/// Finds the plan in a file. The chatplan asks each time a message has an `alt_path`, so keep what was read.
pub trait AltPlans: Send + Sync {
    /// The plan in the file at `path`, or why there is none.
    fn plan(&self, path: &str) -> Option<Arc<Plan>>;
}

/// No file is ever found.
pub struct NoAltPlans;

impl AltPlans for NoAltPlans {
    fn plan(&self, _path: &str) -> Option<Arc<Plan>> {
        None
    }
}
