//! `{filter, 'Header value', ...}`: which events of those a node hears are sent.

use std::sync::Arc;

use chappe_event::Event;
use chappe_expression::Expression;

/// How many filters a node may have.
pub(crate) const MAX_FILTERS: usize = 1_000;

/// One filter. An event has to agree with every filter on a header that it has; other than on the event socket, a header
/// that an event does not have filters nothing.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    header: String,
    /// As the node wrote it.
    value: String,
    excludes: bool,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    Any,
    /// Compared without regard to case.
    Text(String),
    /// `/EXPRESSION/`; one that does not compile matches nothing.
    Expression(Option<Arc<Expression>>),
}

impl Filter {
    pub(crate) fn new(header: &str, value: &str) -> Self {
        let text = value.trim_start_matches(['+', '-', ' ']);
        let signs = &value[..value.len() - text.len()];
        let matcher = if text.is_empty() {
            Matcher::Any
        } else if value.starts_with('/') {
            Matcher::Expression(Expression::new(text).ok().map(Arc::new))
        } else {
            Matcher::Text(text.to_owned())
        };
        let excludes = signs.rfind(['+', '-']).is_some_and(|at| signs[at..].starts_with('-'));
        Self { header: header.to_owned(), value: value.to_owned(), excludes, matcher }
    }

    /// Whether `delete HEADER [VALUE]` means this one.
    pub(crate) fn is(&self, header: &str, value: &str) -> bool {
        self.header.eq_ignore_ascii_case(header) && (value.is_empty() || self.value == value)
    }

    /// FreeSWITCH mod_erlang_event.c event_handler.
    pub(crate) fn pass(filters: &[Self], event: &Event) -> bool {
        filters.iter().all(|filter| {
            event.get(&filter.header).is_none_or(|value| filter.matches(value) != filter.excludes)
        })
    }

    fn matches(&self, value: &str) -> bool {
        match &self.matcher {
            Matcher::Any => true,
            Matcher::Text(text) => value.eq_ignore_ascii_case(text),
            Matcher::Expression(expression) => {
                expression.as_ref().is_some_and(|known| known.is_match(value) == Ok(true))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chappe_event::EventName;

    use super::*;

    #[test]
    fn every_filter_on_a_header_has_to_agree() {
        let mut event = Event::new(EventName::Message);
        event.add("from", "1000");
        event.add("to", "2000");
        for (filters, passes) in [
            (&[][..], true),
            (&[("from", "1000")], true),
            (&[("from", "1001")], false),
            (&[("from", "1000"), ("to", "1")], false),
            (&[("from", "1000"), ("missing", "1")], true),
            (&[("from", "-1000")], false),
            (&[("from", "- 1001")], true),
            (&[("from", "+1000")], true),
            (&[("from", "/^10/")], true),
            (&[("from", "/^20/")], false),
            (&[("from", "/(/")], false),
            (&[("from", "-")], false),
        ] {
            let made: Vec<_> = filters.iter().map(|(header, value)| Filter::new(header, value)).collect();
            assert_eq!(Filter::pass(&made, &event), passes, "{filters:?}");
        }
    }
}
