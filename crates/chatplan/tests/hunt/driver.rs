//! Runs one message through a plan and keeps what happens.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use chappe_chatplan::{Answer, Hunt, Hunted, Plan, Step, Trace, World};
use chappe_event::{Event, EventName, ExpandRules, Globals, LogLevel};
use jiff::tz::TimeZone;

/// 2026-11-22 22:00 UTC, a Sunday.
const NOW: i64 = 1_795_384_800_000_000;

pub struct Found {
    pub hunted: Hunted,
    /// The clean lines as they are, the others with their level.
    pub lines: Vec<String>,
    /// The questions that were asked on the way.
    pub asked: Vec<String>,
    pub message: Event,
    /// How often it was asked whether somebody reads a line.
    pub looks: usize,
}

impl Found {
    /// The actions as `app(data)`.
    pub fn actions(&self) -> Vec<String> {
        let data = |action: &chappe_chatplan::Action| action.data.as_deref().unwrap_or("-").to_owned();
        self.hunted.actions.iter().map(|action| format!("{}({})", action.app, data(action))).collect()
    }
}

pub fn plan(contexts: &str) -> Arc<Plan> {
    let (plan, _) = Plan::parse(&document(contexts), "chatplan.xml");
    Arc::new(plan.expect("the plan can be read"))
}

pub fn document(contexts: &str) -> String {
    format!("<document><section name=\"chatplan\">{contexts}</section></document>")
}

pub fn message() -> Event {
    let mut event = Event::new(EventName::Message);
    let headers =
        [("from", "1004@chat.test"), ("from_user", "1004"), ("to", "1009@chat.test"), ("to_user", "1009")];
    headers.into_iter().for_each(|(name, value)| event.add(name, value));
    event.set_body(Some("hello there".into()));
    event
}

/// The extensions in the context `default`, with a message from 1004 to 1009 that says `hello there`.
pub fn hunt(extensions: &str) -> Found {
    hunt_in(&plan(&format!("<context name=\"default\">{extensions}</context>")), message())
}

pub fn hunt_in(plan: &Arc<Plan>, message: Event) -> Found {
    hunt_traced(plan, message, true)
}

/// The same, where somebody reads the lines of level debug or only the others.
pub fn hunt_traced(plan: &Arc<Plan>, message: Event, debug: bool) -> Found {
    let mut found =
        Found { hunted: Hunted::default(), lines: Vec::new(), asked: Vec::new(), message, looks: 0 };
    let globals = Globals::default();
    globals.set("domain", "chat.test");
    let mut hunt = Hunt::start(plan);
    let mut answer = Answer::Start;
    let mut lines = Lines { debug, lines: Vec::new(), looks: Cell::new(0) };
    loop {
        let world = World {
            globals: &globals,
            now_micros: NOW,
            zone: &TimeZone::UTC,
            zone_named: &|_| None,
            rules: ExpandRules::default(),
        };
        answer = match hunt.next(&mut found.message, &world, answer, &mut lines) {
            Step::RunInline { app, data } => {
                let data = data.as_deref().unwrap_or_default();
                found.asked.push(format!("run {app}({data})"));
                if let Some((name, value)) = data.split_once('=') {
                    found.message.add(chappe_event::Name::copied(name), value);
                }
                Answer::Inline
            }
            Step::Api { command, args } => {
                found.asked.push(format!("api {command} {args}"));
                Answer::Api(args.to_uppercase())
            }
            Step::File { path } => {
                found.asked.push(format!("file {path}"));
                let other = "<context name=\"default\"><extension name=\"other\"><condition>\
                             <action application=\"found\"/></condition></extension></context>";
                Answer::File((path == "/other.xml").then(|| self::plan(other)))
            }
            Step::Done(hunted) => {
                found.hunted = hunted;
                (found.lines, found.looks) = (lines.lines, lines.looks.get());
                return found;
            }
        };
    }
}

struct Lines {
    debug: bool,
    lines: Vec<String>,
    looks: Cell<usize>,
}

impl Trace for Lines {
    fn wanted(&self, level: LogLevel) -> bool {
        self.looks.set(self.looks.get() + 1);
        self.debug || level != LogLevel::Debug
    }

    fn line(&mut self, level: LogLevel, clean: bool, text: fmt::Arguments<'_>) {
        self.lines.push(if clean { text.to_string() } else { format!("[{}] {text}", level.as_str()) });
    }
}
