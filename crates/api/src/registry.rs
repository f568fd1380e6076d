//! The commands that can be called, by name.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use chappe_event::{Bus, Event, EventName, EventRow};

use crate::aliases::Part;
use crate::{Aliases, Answer, Call, Command, Row};

/// The events about commands.
pub const EVENTS: &[EventRow] =
    &[EventRow::fired(EventName::Api, "An API command was called.", &["API-Command"])];

/// What FreeSWITCH takes off a command's name and arguments.
const BLANKS: [char; 5] = [' ', '\t', '\r', '\n', '\x0b'];

/// All commands there are. Looking one up takes no lock; adding and removing copies the list.
#[derive(Default)]
pub struct Registry {
    /// Sorted by lower-case name.
    commands: ArcSwap<Vec<Arc<dyn Command>>>,
    bus: ArcSwapOption<Bus>,
    aliases: Aliases,
}

impl Registry {
    pub fn new() -> Self {
        Self::default()
    }

    /// From here on each call fires an `API` event on `bus`, when somebody listens for it.
    pub fn announce_on(&self, bus: Arc<Bus>) {
        self.bus.store(Some(bus));
    }

    /// Adds a command; one of the same name is replaced.
    pub fn add(&self, command: Arc<dyn Command>) {
        self.commands.rcu(|commands| {
            let mut commands = Vec::clone(commands);
            match position(&commands, command.row().name) {
                Ok(at) => commands[at] = command.clone(),
                Err(at) => commands.insert(at, command.clone()),
            }
            commands
        });
    }

    /// Removes the commands a module brought.
    pub fn remove_module(&self, module: &str) {
        self.commands.rcu(|commands| {
            commands.iter().filter(|command| command.row().module != module).cloned().collect::<Vec<_>>()
        });
    }

    pub fn find(&self, name: &str) -> Option<Arc<dyn Command>> {
        let commands = self.commands.load();
        position(&commands, name).ok().map(|at| commands[at].clone())
    }

    /// Every command's row, sorted by name.
    pub fn rows(&self) -> Vec<Row> {
        self.commands.load().iter().map(|command| *command.row()).collect()
    }

    /// Runs `NAME ARGS`. An unknown name is answered `-ERR NAME Command not found!`.
    pub fn execute(self: &Arc<Self>, line: &str, event: Option<&Event>) -> Answer {
        self.call(line, event, false)
    }

    /// Runs what somebody wrote who sits at a console: aliases stand for what they were added for, and `;;` between
    /// commands runs one after the other.
    pub fn execute_for_console(self: &Arc<Self>, line: &str) -> Answer {
        match self.aliases.parts(line).as_slice() {
            [Part::Run(line)] => self.call(line, None, true),
            parts => self.run_parts(parts.to_vec()),
        }
    }

    /// The other names that consoles know.
    pub fn aliases(&self) -> &Aliases {
        &self.aliases
    }

    fn run_parts(self: &Arc<Self>, parts: Vec<Part>) -> Answer {
        let registry = self.clone();
        Answer::Later(Box::pin(async move {
            let mut text = String::new();
            for part in parts {
                match part {
                    Part::Say(words) => text.push_str(&words),
                    Part::Run(line) => text.push_str(&registry.call(&line, None, true).text().await),
                }
            }
            text
        }))
    }

    /// Runs a command by name; `None` when there is none of that name. This is what `${NAME(ARGS)}` calls: there an
    /// unknown name is an empty text.
    pub fn run(self: &Arc<Self>, name: &str, args: &str, event: Option<&Event>) -> Option<Answer> {
        self.run_command(name.trim_matches(BLANKS), args.trim_matches(BLANKS), event, false)
    }

    fn call(self: &Arc<Self>, line: &str, event: Option<&Event>, console: bool) -> Answer {
        let (name, args) = split(line);
        let unknown = || Answer::Ready(format!("-ERR {name} Command not found!\n"));
        self.run_command(name, args, event, console).unwrap_or_else(unknown)
    }

    fn run_command(
        self: &Arc<Self>,
        name: &str,
        args: &str,
        event: Option<&Event>,
        console: bool,
    ) -> Option<Answer> {
        let command = self.find(name)?;
        self.announce(name, args);
        Some(command.run(Call { args, event, registry: self, console }))
    }

    fn announce(&self, name: &str, args: &str) {
        let bus = self.bus.load();
        let Some(bus) = bus.as_ref().filter(|bus| bus.wanted(EventName::Api, None)) else { return };
        let mut event = Event::new(EventName::Api);
        event.add("API-Command", name);
        if !args.is_empty() {
            event.add("API-Command-Argument", args);
        }
        bus.fire(event);
    }
}

/// The command's name and what follows it, without the blanks between and around.
fn split(line: &str) -> (&str, &str) {
    let line = line.trim_matches(BLANKS);
    match line.split_once(' ') {
        Some((name, args)) => (name, args.trim_start_matches(BLANKS)),
        None => (line, ""),
    }
}

fn position(commands: &[Arc<dyn Command>], name: &str) -> Result<usize, usize> {
    commands.binary_search_by(|command| {
        let known = command.row().name.bytes().map(|byte| byte.to_ascii_lowercase());
        known.cmp(name.bytes().map(|byte| byte.to_ascii_lowercase()))
    })
}
