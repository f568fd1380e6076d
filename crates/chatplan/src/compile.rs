//! A `chatplan` section becomes a plan.

use std::sync::Arc;

use chappe_config::{Diagnostics, Element};
use chappe_event::{Event, EventName, Expand, ExpandRules, Expansion, Globals, has_expansion, is_true};

use crate::date_time::{self, DateTime};
use crate::expression::{Compiled, Pattern};
use crate::filter::Filter;
use crate::known;
use crate::limits::MAX_LOOP;
use crate::plan::{Break, Condition, Context, Extension, Field, Plan, PlannedAction, Source};

pub(crate) fn section(section: &Element, diagnostics: &mut Diagnostics) -> Plan {
    known::SECTION.check(section, diagnostics);
    let mut plan = Plan::default();
    for element in section.children_named("context") {
        let context = context(element, diagnostics);
        if plan.contexts.iter().any(|known| known.name.eq_ignore_ascii_case(&context.name)) {
            let text = format!("context {} is there already, and this one is never looked at", context.name);
            diagnostics.warning(&element.at, text);
        }
        plan.contexts.push(context);
    }
    plan
}

fn context(element: &Element, diagnostics: &mut Diagnostics) -> Context {
    known::CONTEXT.check(element, diagnostics);
    if element.attr("name").is_none() {
        diagnostics.warning(&element.at, "a context without a name is never looked at");
    }
    let extensions: Vec<_> =
        element.children_named("extension").map(|child| extension(child, diagnostics)).collect();
    let filter = Filter::of(&extensions);
    Context { name: element.attr_or("name", "").to_owned(), extensions, filter }
}

fn extension(element: &Element, diagnostics: &mut Diagnostics) -> Extension {
    known::EXTENSION.check(element, diagnostics);
    Extension {
        name: element.attr("name").map(str::to_owned),
        continue_text: element.attr("continue").map(str::to_owned),
        continues: element.attr("continue").is_some_and(is_true),
        conditions: element.children_named("condition").map(|child| condition(child, diagnostics)).collect(),
    }
}

fn condition(element: &Element, diagnostics: &mut Diagnostics) -> Condition {
    known::CONDITION.check(element, diagnostics);
    let nested = element.child("condition");
    if let Some(nested) = nested {
        diagnostics
            .warning(&nested.at, "a condition in a condition ends the extension")
            .instead("the two conditions one after the other");
    }
    let (break_on, break_text) = break_on(element, diagnostics);
    Condition {
        nested: nested.is_some(),
        field: element.attr("field").map(field),
        expression: expression(element, diagnostics),
        break_on,
        break_text,
        when: DateTime::read(element, diagnostics),
        actions: element.children_named("action").map(|child| action(child, diagnostics)).collect(),
        anti_actions: element.children_named("anti-action").map(|child| action(child, diagnostics)).collect(),
    }
}

fn field(text: &str) -> Field {
    let source = match text.contains('$') {
        false => Source::Header,
        true if has_expansion(text) => Source::Expanded,
        true => Source::Text,
    };
    Field { text: text.to_owned(), source }
}

/// The `expression` child goes before the attribute. FreeSWITCH mod_sms.c `parse_exten`.
fn expression(condition: &Element, diagnostics: &mut Diagnostics) -> Pattern {
    let child = condition.child("expression");
    let text = child.map_or_else(|| condition.attr_or("expression", ""), |child| child.text.as_str());
    if !has_expansion(text) {
        return fixed(text.to_owned(), condition, diagnostics);
    }
    match without_message(text) {
        Some(text) => fixed(text, condition, diagnostics),
        None => Pattern::Expanded(text.to_owned()),
    }
}

fn fixed(text: String, condition: &Element, diagnostics: &mut Diagnostics) -> Pattern {
    let compiled = Compiled::deferred(text);
    if let Err(error) = compiled.expression.as_ref() {
        diagnostics.warning(&condition.at, format!("{error}; it matches nothing"));
    }
    Pattern::Fixed(Arc::new(compiled))
}

/// The expansion of a text that has escapes but no `${`: whatever the message is, it comes out the same.
fn without_message(text: &str) -> Option<String> {
    if text.contains("${") {
        return None;
    }
    let nothing = Event::new(EventName::Clone);
    match Expansion::new(text, ExpandRules::default()).next(&nothing, &Globals::default(), None) {
        Expand::Done(text) => Some(text),
        Expand::Api { .. } => None,
    }
}

fn break_on(condition: &Element, diagnostics: &mut Diagnostics) -> (Break, String) {
    const WORDS: [(&str, Break); 4] = [
        ("on-true", Break::OnTrue),
        ("on-false", Break::OnFalse),
        ("always", Break::Always),
        ("never", Break::Never),
    ];
    let default = (Break::OnFalse, "on-false".to_owned());
    let Some(text) = condition.attr("break") else { return default };
    match WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        Some((_, mode)) => (*mode, text.to_owned()),
        None => {
            diagnostics
                .warning(&condition.at, format!("break=\"{text}\" counts as on-false"))
                .instead("on-true, on-false, always or never");
            default
        }
    }
}

fn action(element: &Element, diagnostics: &mut Diagnostics) -> PlannedAction {
    known::ACTION.check(element, diagnostics);
    let data = if element.text.is_empty() { element.attr_or("data", "") } else { &element.text };
    PlannedAction {
        app: element.attr_or("application", "").into(),
        data: data.into(),
        times: times(element, diagnostics),
        inline: element.attr("inline").is_some_and(is_true),
        at: element.at.clone(),
    }
}

fn times(action: &Element, diagnostics: &mut Diagnostics) -> u32 {
    let Some(text) = action.attr("loop") else { return 1 };
    let wanted = date_time::whole(text);
    let times = wanted.clamp(0, i64::from(MAX_LOOP));
    if wanted > times {
        diagnostics.warning(&action.at, format!("loop=\"{text}\" counts as {times}"));
    }
    u32::try_from(times).unwrap_or(MAX_LOOP)
}
