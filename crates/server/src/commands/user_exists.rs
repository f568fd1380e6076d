//! `user_exists`: whether the directory has a user.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};
use chappe_directory::Domain;

use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "user_exists", syntax: "<key> <user> <domain>", doc: "Find a user", module: "mod_commands" };

/// FreeSWITCH mod_commands.c _find_user. The key is the attribute to look at, or several with colons between.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let mut words = call.args.split_whitespace();
    let (Some(key), Some(user), Some(domain)) = (words.next(), words.next(), words.next()) else {
        return "false".into();
    };
    let configuration = server.configuration();
    let domain = configuration.directory.domain(domain);
    if domain.is_some_and(|domain| has(domain, key, user)) { "true".into() } else { "false".into() }
}

fn has(domain: &Domain, key: &str, user: &str) -> bool {
    let Some(found) = domain.user(user) else { return false };
    key.split(':').any(|attribute| match attribute {
        "id" => found.id.eq_ignore_ascii_case(user),
        "number-alias" => found.number_alias.as_deref().is_some_and(|alias| alias.eq_ignore_ascii_case(user)),
        _ => false,
    })
}
