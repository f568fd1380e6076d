//! `{filter, 'Header value', ...}`, with `add ` before it or `delete Header [value]` and `delete all`.

use eetf::{List, Term};

use super::{Caller, Output, Session, reply};
use crate::Encoding;
use crate::filter::{Filter, MAX_FILTERS};
use crate::term::{as_atom, as_text, atom, error, tuple};

/// Answers what was done for each.
pub(super) fn filter(session: &mut Session, caller: Caller, rest: &[Term], out: &mut Vec<Output>) {
    if rest.is_empty() {
        return reply(out, caller, error("badarg"));
    }
    let text = |term: &Term| as_atom(term).map(str::to_owned).or_else(|| as_text(term));
    let encoding = session.encoding;
    let filters = &mut session.wishes.filters;
    let done: Vec<Term> =
        rest.iter().filter_map(text).map(|text| change(filters, text.trim_start(), encoding)).collect();
    out.push(Output::Wished);
    let done = Term::from(List::from(done));
    reply(out, caller, tuple([atom("filter_command_processing_log"), done]));
}

/// FreeSWITCH handle_msg.c handle_msg_filter.
fn change(filters: &mut Vec<Filter>, text: &str, encoding: Encoding) -> Term {
    let told = |what: &str, header: &str, value: &str| {
        tuple([encoding.text(what), encoding.text(header), encoding.text(value)])
    };
    let Some((first, rest)) = text.split_once(' ') else { return atom("-ERR invalid syntax") };
    let (header, value) = match first.to_ascii_lowercase().as_str() {
        "delete" => {
            let (header, value) = rest.split_once(' ').unwrap_or((rest, ""));
            filters.retain(|filter| !header.eq_ignore_ascii_case("all") && !filter.is(header, value));
            return told("deleted", header, value);
        }
        "add" => match rest.split_once(' ') {
            Some(pair) => pair,
            None => return atom("-ERR invalid syntax"),
        },
        _ => (first, rest),
    };
    if filters.len() >= MAX_FILTERS {
        return atom("-ERR too many filters");
    }
    filters.push(Filter::new(header, value));
    told("added", header, value)
}
