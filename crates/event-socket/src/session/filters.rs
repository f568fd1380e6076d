//! `filter [add] HEADER VALUE`, `filter delete HEADER [VALUE]`, `filter delete all`.

use super::{Output, Session, reply};
use crate::command::Command;
use crate::filter::Filter;

/// More filters than anybody needs; each costs a look at every event.
const MAX_FILTERS: usize = 1_000;

pub(super) fn filter(session: &mut Session, _: &Command, rest: &str, out: &mut Vec<Output>) {
    let filters = &mut session.subscription.filters;
    let text = match rest.trim_start_matches(' ').split_once(' ') {
        None => "-ERR invalid syntax".to_owned(),
        Some((word, rest)) if word.eq_ignore_ascii_case("delete") => {
            let (header, value) = header_and_value(rest);
            if header.eq_ignore_ascii_case("all") {
                filters.clear();
            } else {
                filters.retain(|filter| !filter.is(header, value));
            }
            format!("+OK filter deleted. [{header}][{}]", value.unwrap_or_default())
        }
        Some((word, rest)) => {
            let (header, value) =
                if word.eq_ignore_ascii_case("add") { header_and_value(rest) } else { (word, Some(rest)) };
            match value {
                _ if filters.len() >= MAX_FILTERS => "-ERR too many filters".to_owned(),
                Some(value) => {
                    filters.push(Filter::new(header, value));
                    format!("+OK filter added. [{header}]=[{value}]")
                }
                None => "-ERR invalid syntax".to_owned(),
            }
        }
    };
    out.push(Output::Subscribed);
    reply(out, &text);
}

fn header_and_value(text: &str) -> (&str, Option<&str>) {
    match text.split_once(' ') {
        Some((header, value)) => (header, Some(value)),
        None => (text, None),
    }
}
