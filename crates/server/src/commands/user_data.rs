//! `user_data`: a param, variable or attribute of a user.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};
use chappe_directory::User;

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
    let wanted = user.clone();
    asked_directory::answer(server, ("id", &wanted, &domain.clone()), move |directory| {
        directory.user(&domain, &user).map(|user| value(user, &kind, &name).unwrap_or_default().to_owned())
    })
}

fn value<'u>(user: &'u User, kind: &str, name: &str) -> Option<&'u str> {
    match kind {
        "attr" => match name {
            "id" => Some(user.id.as_str()),
            "number-alias" => user.number_alias.as_deref(),
            "cidr" => user.cidr.as_deref(),
            _ => None,
        },
        "var" => user.variable(name),
        _ => user.param(name),
    }
}
