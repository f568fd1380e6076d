//! `xml_locate`: the configuration as it was read, or a part of it.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};
use chappe_config::{Document, Element, Section, XmlQuery};

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
        [section, tag, attribute, value] => {
            let asked = bound(server, section, tag, attribute, value);
            return asked
                .unwrap_or_else(|| shown(locate(&document, section, Some((tag, attribute, value)))).into());
        }
        _ => return "-ERR bad args\n".into(),
    };
    shown(found).into()
}

fn shown(found: Option<&Element>) -> String {
    found.map_or_else(|| "can't find anything\n".to_owned(), Element::to_xml)
}

/// What those say who answer for the section instead of the files, else the files. `None`: nobody does.
fn bound(server: &Arc<Server>, section: &str, tag: &str, attribute: &str, value: &str) -> Option<Answer> {
    let named = Section::parse(section).filter(|section| server.bindings.serves(*section))?;
    let query = XmlQuery {
        section: named,
        tag_name: tag.to_owned(),
        key_name: attribute.to_owned(),
        key_value: value.to_owned(),
        params: Vec::new(),
    };
    let answer = server.bindings.locate(query);
    let files = server.configuration().document.clone();
    let (section, wanted) = (section.to_owned(), [tag, attribute, value].map(str::to_owned));
    Some(Answer::Later(Box::pin(async move {
        let [tag, attribute, value] = wanted.each_ref().map(String::as_str);
        let document = answer.await.unwrap_or(files);
        shown(locate(&document, &section, Some((tag, attribute, value))))
    })))
}

/// A section, or the element of it that a tag, an attribute's name and its value tell. FreeSWITCH switch_xml.c
/// switch_xml_locate.
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
