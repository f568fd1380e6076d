//! A condition's expression.

use std::sync::Arc;

use chappe_expression::{Captures, Expression, Shared, TooCostly};

/// What a condition's field is held against.
#[derive(Debug)]
pub(crate) enum Pattern {
    /// Nothing in it depends on the message.
    Fixed(Arc<Compiled>),
    /// It has `${...}` in it.
    Expanded(String),
}

/// An expression's text and what it matches.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) text: String,
    /// It may have groups: FreeSWITCH goes by a `(` anywhere in it.
    pub(crate) groups: bool,
    pub(crate) expression: Shared,
}

impl Compiled {
    /// One of a plan's, compiled when it is matched for the first time.
    pub(crate) fn deferred(text: String) -> Self {
        let expression = Arc::new(Expression::deferred(&text));
        Self { groups: text.contains('('), text, expression }
    }

    /// One that came with a message, from this thread's cache.
    pub(crate) fn cached(text: String) -> Self {
        let expression = Expression::cached(&text);
        Self { groups: text.contains('('), text, expression }
    }

    /// What the subject matches; the groups are read only where there may be some. A match that runs into the limits
    /// is an error; an expression that does not compile matches nothing.
    pub(crate) fn captures(&self, subject: &str) -> Result<Option<Captures>, TooCostly> {
        match self.expression.as_ref() {
            Ok(expression) if self.groups => expression.captures(subject),
            Ok(expression) => Ok(expression.is_match(subject)?.then(Captures::default)),
            Err(_) => Ok(None),
        }
    }
}
