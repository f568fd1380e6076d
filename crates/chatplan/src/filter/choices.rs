//! What a message must have for anything to happen in an extension.
//!
//! An extension can be passed over where walking through it would leave no trace: no action, no question, no capture told
//! to the message, and the hunt going on behind it. That is so where its conditions fail one after another without
//! anti-actions; where one of them fails that leaves the extension, after others that bring about nothing either way; and
//! in the mixtures of both.

use chappe_event::header;
use chappe_expression::{Place, needs};

use crate::expression::{Compiled, Pattern};
use crate::plan::{Break, Condition, Extension, Source};

/// Literals, one of which must be there: otherwise nothing happens. Without any nothing ever happens.
pub(super) type Choice<'p> = Vec<Key<'p>>;

/// A literal, and where it must be.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Key<'p> {
    pub(super) field: &'p str,
    pub(super) place: Place,
    pub(super) caseless: bool,
    pub(super) literal: Vec<u8>,
}

/// What is known from a condition on: several choices, each of which will do.
type Known<'p> = Option<Vec<Choice<'p>>>;

/// Choices that are kept, and the keys of the longest one.
const MAX_CHOICES: usize = 8;
const MAX_KEYS: usize = 128;

/// The shortest literal that is looked for anywhere in a text.
const MIN_INSIDE: usize = 2;

/// The choices that an extension leaves; `None` when it has to be walked through.
pub(super) fn of(extension: &Extension) -> Known<'_> {
    // Behind the last condition the hunt goes on if the one looked at last did not match its field.
    let mut failing: Known<'_> = Some(vec![Choice::new()]);
    let mut matching: Known<'_> = None;
    for condition in extension.conditions.iter().rev() {
        (failing, matching) =
            (before(condition, false, &failing, &matching), before(condition, true, &failing, &matching));
    }
    failing
}

/// What is known before a condition, from what is known behind it: after a field that did not match, and after one that
/// may have. `matched`: one before it may have.
fn before<'p>(
    condition: &'p Condition,
    matched: bool,
    failing: &Known<'p>,
    matching: &Known<'p>,
) -> Known<'p> {
    let mut choices = by_failing(condition, failing);
    if is_quiet(condition, matched) {
        let behind = if matched || condition.field.is_some() { matching } else { failing };
        choices.extend(behind.iter().flatten().cloned());
    }
    choices.truncate(MAX_CHOICES);
    Some(choices).filter(|choices| !choices.is_empty())
}

/// The choices with which the condition fails, and what is behind it fails as well if it is looked at.
fn by_failing<'p>(condition: &'p Condition, behind: &Known<'p>) -> Vec<Choice<'p>> {
    let (Some(field), Pattern::Fixed(expression)) = (header_of(condition), &condition.expression) else {
        return Vec::new();
    };
    if condition.nested || condition.when.is_some() || !condition.anti_actions.is_empty() {
        return Vec::new();
    }
    let own = keys(field, expression);
    if condition.break_on.leaves(false) {
        return own;
    }
    let behind = behind.iter().flatten();
    let both = behind.flat_map(|behind| own.iter().map(|own| [&own[..], &behind[..]].concat()));
    both.filter(|choice| choice.len() <= MAX_KEYS).take(MAX_CHOICES).collect()
}

/// The header that the condition looks at, unless the hunt itself may change it.
fn header_of(condition: &Condition) -> Option<&str> {
    let field = condition.field.as_ref().filter(|field| field.source == Source::Header)?;
    let name = field.text.split('[').next().unwrap_or_default();
    Some(&*field.text).filter(|_| !name.eq_ignore_ascii_case(header::DP_MATCH))
}

/// With each of these choices the expression matches nothing.
fn keys<'p>(field: &'p str, expression: &Compiled) -> Vec<Choice<'p>> {
    if expression.expression.is_err() {
        return vec![Choice::new()];
    }
    let needs = needs(&expression.text).into_iter().filter(|need| {
        need.place != Place::Inside || need.literals.iter().all(|literal| literal.len() >= MIN_INSIDE)
    });
    needs
        .map(|need| {
            let key = |literal| Key { field, place: need.place, caseless: need.caseless, literal };
            need.literals.into_iter().map(key).collect()
        })
        .collect()
}

/// Whether the condition brings about nothing, whatever comes of it, and what follows is looked at unless it failed. Where
/// a condition before it may have matched, a time that does not hold would end the hunt.
fn is_quiet(condition: &Condition, matched: bool) -> bool {
    let Pattern::Fixed(expression) = &condition.expression else { return false };
    let asks = condition.field.as_ref().is_some_and(|field| field.source == Source::Expanded);
    let tells = condition.field.is_some() && expression.groups;
    let ends = match condition.break_on {
        Break::Never => false,
        Break::OnFalse => matched && condition.field.is_none() && condition.when.is_some(),
        Break::OnTrue | Break::Always => true,
    };
    !condition.nested
        && !asks
        && !tells
        && !ends
        && condition.actions.is_empty()
        && condition.anti_actions.is_empty()
}
