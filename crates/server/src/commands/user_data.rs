//! `user_data`: a param, variable or attribute of a user.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};
use chappe_config::Document;
use chappe_directory::User;

use super::find_user_xml;
use crate::asked_directory;
use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "user_data",
    syntax: "<user>@<domain> [attr|var|param] <name>",
    doc: "Find user data",
    module: "mod_commands",
};

/// FreeSWITCH mod_commands.c user_data_function: every type but `attr` and `var` is a param's.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let mut words = call.args.split_whitespace();
    let (Some(user), Some(kind), Some(name)) = (words.next(), words.next(), words.next()) else {
        return "".into();
    };
    let (user, domain) = super::split_user(server, user);
    let (user, kind, name) = (user.to_owned(), kind.to_owned(), name.to_owned());
    let (wanted, within) = (user.clone(), domain.clone());
    let document = server.configuration().document.clone();
    asked_directory::answer(server, ("id", &wanted, &within), move |directory| {
        let user = directory.user(&domain, &user)?;
        Some(
            value(user, &kind, &name)
                .or_else(|| attribute(&document, user, &kind, &name))
                .unwrap_or_default(),
        )
    })
}

fn value(user: &User, kind: &str, name: &str) -> Option<String> {
    let value = match kind {
        "attr" => match name {
            "id" => Some(user.id.as_str()),
            "number-alias" => user.number_alias.as_deref(),
            "cidr" => user.cidr.as_deref(),
            _ => None,
        },
        "var" => user.variable(name),
        _ => user.param(name),
    };
    value.map(str::to_owned)
}

/// An attribute that the directory has no use for, as it is written in the files.
fn attribute(document: &Document, user: &User, kind: &str, name: &str) -> Option<String> {
    let written = find_user_xml::find(document, "id", &user.id, &user.domain).filter(|_| kind == "attr")?;
    written.attr(name).map(str::to_owned)
}
