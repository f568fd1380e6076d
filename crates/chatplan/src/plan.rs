//! A chatplan, compiled.

use std::sync::Arc;

use chappe_config::{Diagnostics, Document, Element, Location};

use crate::date_time::DateTime;
use crate::expression::Pattern;
use crate::filter::Filter;

/// The contexts of a chatplan.
#[derive(Debug, Default)]
pub struct Plan {
    pub(crate) contexts: Vec<Context>,
}

/// The extensions that messages of one context go through.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) name: String,
    pub(crate) extensions: Vec<Extension>,
    /// Finds the extensions that a message may concern, where they are many.
    pub(crate) filter: Option<Filter>,
}

#[derive(Debug)]
pub(crate) struct Extension {
    pub(crate) name: Option<String>,
    /// The attribute as written, for the trace.
    pub(crate) continue_text: Option<String>,
    pub(crate) continues: bool,
    pub(crate) conditions: Vec<Condition>,
}

#[derive(Debug)]
pub(crate) struct Condition {
    /// It holds another condition, which FreeSWITCH refuses when it gets there.
    pub(crate) nested: bool,
    pub(crate) field: Option<Field>,
    pub(crate) expression: Pattern,
    pub(crate) break_on: Break,
    /// The attribute as written, for the trace; `on-false` when there is none or it is unknown.
    pub(crate) break_text: String,
    pub(crate) when: Option<DateTime>,
    pub(crate) actions: Vec<PlannedAction>,
    pub(crate) anti_actions: Vec<PlannedAction>,
}

/// What a condition looks at.
#[derive(Debug)]
pub(crate) struct Field {
    /// The attribute as written.
    pub(crate) text: String,
    pub(crate) source: Source,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The header of that name.
    Header,
    /// The text, expanded.
    Expanded,
    /// The text as it is: it has a `$` but nothing to expand.
    Text,
}

/// After which outcome of a condition the rest of the extension is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Break {
    OnTrue,
    OnFalse,
    Always,
    Never,
}

impl Break {
    /// Whether the rest of the extension is left after a condition that passed or not.
    pub(crate) fn leaves(self, passed: bool) -> bool {
        match self {
            Self::OnTrue => passed,
            Self::OnFalse => !passed,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

#[derive(Debug)]
pub(crate) struct PlannedAction {
    pub(crate) app: Arc<str>,
    pub(crate) data: Arc<str>,
    /// How often, between 0 and [`MAX_LOOP`](crate::limits::MAX_LOOP).
    pub(crate) times: u32,
    pub(crate) inline: bool,
    pub(crate) at: Location,
}

impl Plan {
    /// Compiles the `chatplan` section of a configuration. Whatever is odd goes into `diagnostics`; the plan is usable
    /// all the same.
    pub fn compile(document: &Document, diagnostics: &mut Diagnostics) -> Self {
        document
            .section("chatplan")
            .map_or_else(Self::default, |section| Self::compile_section(section, diagnostics))
    }

    /// Compiles a `chatplan` section.
    pub fn compile_section(section: &Element, diagnostics: &mut Diagnostics) -> Self {
        crate::compile::section(section, diagnostics)
    }

    /// Reads a document of its own and compiles its `chatplan` section, as for a file that a message's `alt_path` names.
    /// No plan when it can't be read or has no such section.
    pub fn parse(text: &str, path: &str) -> (Option<Self>, Diagnostics) {
        let (document, mut diagnostics) = chappe_config::parse_fragment(text, path);
        let section = document.section("chatplan").filter(|_| !diagnostics.has_errors());
        let plan = section.map(|section| Self::compile_section(section, &mut diagnostics));
        (plan, diagnostics)
    }

    /// Every app the plan names, with where it does.
    pub fn apps(&self) -> impl Iterator<Item = (&str, &Location)> {
        let conditions =
            self.contexts.iter().flat_map(|context| &context.extensions).flat_map(|e| &e.conditions);
        conditions
            .flat_map(|condition| condition.actions.iter().chain(&condition.anti_actions))
            .map(|action| (&*action.app, &action.at))
    }

    /// The names of its contexts.
    pub fn contexts(&self) -> impl Iterator<Item = &str> {
        self.contexts.iter().map(|context| &*context.name)
    }

    /// Whether messages in this context find one, theirs or `global`.
    pub fn has_context(&self, name: &str) -> bool {
        self.context(name).is_some()
    }

    /// The context of that name, else the one called `global`. FreeSWITCH takes the first, without regard to case.
    pub(crate) fn context(&self, name: &str) -> Option<usize> {
        let find =
            |name: &str| self.contexts.iter().position(|context| context.name.eq_ignore_ascii_case(name));
        find(name).or_else(|| find("global"))
    }
}
