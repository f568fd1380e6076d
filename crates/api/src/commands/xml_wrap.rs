//! `xml_wrap`: another command's answer inside XML.

use chappe_event::url_encode;

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "xml_wrap",
    syntax: "<command> <args>",
    doc: "Wrap another api command in xml",
    module: "mod_commands",
};

/// FreeSWITCH mod_commands.c xml_wrap_api_function: the answer stands in the element as it is, or, with `encoded` before
/// the command, percent-encoded.
pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    if call.args.is_empty() {
        return "-ERR Invalid syntax\n".into();
    }
    let (line, encoded) = match call.args.split_at_checked(8) {
        Some((word, line)) if word.eq_ignore_ascii_case("encoded ") => (line, true),
        _ => (call.args, false),
    };
    let (name, args) = line.split_once(' ').unwrap_or((line, ""));
    match call.registry.run(name, args, None) {
        None => wrapped("INVALID COMMAND!\n", encoded).into(),
        Some(Answer::Ready(text)) => wrapped(&text, encoded).into(),
        Some(Answer::Later(later)) => Answer::Later(Box::pin(async move { wrapped(&later.await, encoded) })),
    }
}

fn wrapped(text: &str, encoded: bool) -> String {
    let text = if encoded { url_encode(text) } else { text.to_owned() };
    format!("<result>\n  <row id=\"1\">\n    <data>{text}</data>\n  </row>\n</result>\n")
}
