//! `xml_locate`: the configuration as it was read, or a part of it.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};
use chappe_config::{Document, Element};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "xml_locate",
    syntax: "[root | <section> <tag> <tag_attr_name> <tag_attr_val>]",
    doc: "Find some xml",
    module: "mod_commands",
};

/// FreeSWITCH mod_commands.c xml_locate_function. Passwords are shown as they are written: whoever may call API commands
/// may do everything.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let document = server.configuration().document.clone();
    let words: Vec<&str> = call.args.split_whitespace().collect();
    let found = match words.as_slice() {
        [word] if word.eq_ignore_ascii_case("root") => Some(document.root()),
        [section] => locate(&document, section, None),
        [section, tag, attribute, value] => locate(&document, section, Some((tag, attribute, value))),
        _ => return "-ERR bad args\n".into(),
    };
    match found {
        Some(element) => element.to_xml().into(),
        None => "can't find anything\n".into(),
    }
}

/// A section, or the element of it that a tag, an attribute's name and its value tell. FreeSWITCH switch_xml.c
/// switch_xml_locate, which asks the bindings before it looks into the document: whatever answers beside the document
/// belongs here.
pub(super) fn locate<'d>(
    document: &'d Document,
    section: &str,
    wanted: Option<(&str, &str, &str)>,
) -> Option<&'d Element> {
    let section = document.section(section)?;
    match wanted {
        None => Some(section),
        Some((tag, attribute, value)) => section.find(tag, attribute, value),
    }
}
