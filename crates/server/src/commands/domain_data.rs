//! `domain_data`: a param, variable or attribute of a domain.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use super::xml_locate::locate;
use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "domain_data",
    syntax: "<domain> [var|param|attr] <name>",
    doc: "Find domain data",
    module: "mod_commands",
};

/// FreeSWITCH mod_commands.c domain_data_function: every type but `attr` and `var` is a param's, and of several of one
/// name the last counts.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let mut words = call.args.split_whitespace();
    let (Some(domain), Some(kind), Some(name)) = (words.next(), words.next(), words.next()) else {
        return "".into();
    };
    let document = server.configuration().document.clone();
    let Some(domain) = locate(&document, "directory", Some(("domain", "name", domain))) else {
        return "".into();
    };
    let (container, element) = if kind == "var" { ("variables", "variable") } else { ("params", "param") };
    let value = match kind {
        "attr" => domain.attr(name),
        _ => {
            let named = domain.listed(container, element);
            let named =
                named.filter(|one| one.attr("name").is_some_and(|known| known.eq_ignore_ascii_case(name)));
            named.filter_map(|one| one.attr("value")).last()
        }
    };
    value.unwrap_or_default().into()
}
