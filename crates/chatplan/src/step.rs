//! What passes between a hunt and whoever runs it.

use std::sync::Arc;

use chappe_event::{ExpandRules, Globals};
use jiff::tz::TimeZone;

use crate::Plan;

/// What a hunt needs to know of the world.
pub struct World<'a> {
    pub globals: &'a Globals,
    /// The time, in microseconds since 1970.
    pub now_micros: i64,
    /// The server's time zone.
    pub zone: &'a TimeZone,
    /// Finds a zone by its name, for a message's `timezone`.
    pub zone_named: &'a dyn Fn(&str) -> Option<TimeZone>,
    pub rules: ExpandRules,
}

/// What a hunt asks for, or its end.
#[derive(Debug)]
pub enum Step {
    /// Run this app on the message now, then go on with [`Answer::Inline`].
    RunInline { app: Arc<str>, data: Option<Arc<str>> },
    /// Run this API command, then go on with [`Answer::Api`].
    Api { command: String, args: String },
    /// Open the plan in this file, then go on with [`Answer::File`].
    File { path: String },
    /// The hunt is over.
    Done(Hunted),
}

/// What a hunt is told.
pub enum Answer {
    /// Nothing yet: the first call.
    Start,
    /// The inline app has run.
    Inline,
    /// What the API command answered.
    Api(String),
    /// The file's plan, `None` when it can't be opened.
    File(Option<Arc<Plan>>),
}

/// What a hunt found.
#[derive(Debug, Default)]
pub struct Hunted {
    /// The actions to run, in order.
    pub actions: Vec<Action>,
    /// An action was found, inline ones included (FreeSWITCH then has an extension to run, even an empty one).
    pub found: bool,
    /// An extension without `continue` matched: its last condition held.
    pub matched: bool,
    /// The message brought about more than [`limits`](crate::limits) allow, and the hunt was cut short.
    pub cut: bool,
}

/// One action to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    pub app: Arc<str>,
    /// The data with `$1` and the like filled in and `${...}` as it stands; `None` when there is none.
    pub data: Option<Arc<str>>,
}
