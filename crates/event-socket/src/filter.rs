//! `filter HEADER VALUE`: only events that have such a header are sent.

use std::sync::Arc;

use chappe_event::Event;
use chappe_expression::Expression;

/// One filter. Several add up: an event passes when any of them matches it, unless one that begins with `-` does.
#[derive(Clone, Debug)]
pub struct Filter {
    header: String,
    /// As the client wrote it.
    value: String,
    excludes: bool,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    /// Compared without regard to case.
    Text(String),
    /// `/EXPRESSION/`; one that does not compile matches nothing.
    Expression(Option<Arc<Expression>>),
}

impl Filter {
    pub fn new(header: &str, value: &str) -> Self {
        let text = value.trim_start_matches(['+', '-', ' ']);
        let signs = &value[..value.len() - text.len()];
        let matcher = if value.starts_with('/') {
            Matcher::Expression(Expression::new(text).ok().map(Arc::new))
        } else {
            Matcher::Text(text.to_owned())
        };
        let excludes = signs.rfind(['+', '-']).is_some_and(|at| signs[at..].starts_with('-'));
        Self { header: header.to_owned(), value: value.to_owned(), excludes, matcher }
    }

    /// Whether `filter delete HEADER [VALUE]` means this one.
    pub fn is(&self, header: &str, value: Option<&str>) -> bool {
        self.header.eq_ignore_ascii_case(header) && value.is_none_or(|value| self.value == value)
    }

    /// FreeSWITCH mod_event_socket.c event_handler.
    pub fn pass(filters: &[Self], event: &Event) -> bool {
        let mut passes = filters.is_empty();
        for filter in filters {
            if passes && !filter.excludes || !filter.matches(event) {
                continue;
            }
            if filter.excludes {
                return false;
            }
            passes = true;
        }
        passes
    }

    fn matches(&self, event: &Event) -> bool {
        let Some(value) = event.get(&self.header) else { return false };
        match &self.matcher {
            Matcher::Text(text) => value.eq_ignore_ascii_case(text),
            Matcher::Expression(expression) => {
                expression.as_ref().is_some_and(|known| known.is_match(value) == Ok(true))
            }
        }
    }
}
