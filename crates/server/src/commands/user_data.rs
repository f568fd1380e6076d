//! `user_data`: a param, variable or attribute of a user.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use super::find_user_xml;
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
    let configuration = server.configuration();
    let Some(user) = configuration.directory.user(&domain, user) else { return "".into() };
    let document = &configuration.document;
    let value = match kind {
        "attr" => match name {
            "id" => Some(user.id.as_str()),
            "number-alias" => user.number_alias.as_deref(),
            "cidr" => user.cidr.as_deref(),
            _ => {
                let written = find_user_xml::find(document, "id", &user.id, &domain);
                return written
                    .and_then(|user| user.attr(name).map(str::to_owned))
                    .unwrap_or_default()
                    .into();
            }
        },
        "var" => user.variable(name),
        _ => user.param(name),
    };
    value.unwrap_or_default().into()
}
