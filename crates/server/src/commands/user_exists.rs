//! `user_exists`: whether the directory has a user.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};
use chappe_config::Document;
use chappe_directory::Domain;

use super::find_user_xml::in_domain;
use super::xml_locate::locate;
use crate::asked_directory;
use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "user_exists", syntax: "<key> <user> <domain>", doc: "Find a user", module: "mod_commands" };

/// FreeSWITCH mod_commands.c _find_user. The key is the attribute to look at, or several with colons between.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let mut words = call.args.split_whitespace();
    let (Some(key), Some(user), Some(domain)) = (words.next(), words.next(), words.next()) else {
        return "false".into();
    };
    let (keys, name, within) = (key.to_owned(), user.to_owned(), domain.to_owned());
    let document = server.configuration().document.clone();
    let answer = asked_directory::answer(server, (key, user, domain), move |directory| {
        let known = directory.domain(&within);
        let found = known.is_some_and(|known| keys.split(':').any(|key| has(known, key, &name)))
            || written(&document, &keys, &name, &within);
        found.then(|| "true".to_owned())
    });
    match answer {
        Answer::Ready(found) => said(found).into(),
        Answer::Later(finding) => Answer::Later(Box::pin(async move { said(finding.await).to_owned() })),
    }
}

fn said(found: String) -> &'static str {
    if found.is_empty() { "false" } else { "true" }
}

fn has(domain: &Domain, key: &str, user: &str) -> bool {
    let Some(found) = domain.user(user) else { return false };
    match key {
        "id" => found.id.eq_ignore_ascii_case(user),
        "number-alias" => found.number_alias.as_deref().is_some_and(|alias| alias.eq_ignore_ascii_case(user)),
        _ => false,
    }
}

/// Whether an attribute that the directory is not sorted by has the value.
fn written(document: &Document, key: &str, user: &str, domain: &str) -> bool {
    let mut others = key.split(':').filter(|key| !matches!(*key, "id" | "number-alias"));
    let domain = || locate(document, "directory", Some(("domain", "name", domain)));
    others.any(|key| domain().is_some_and(|domain| in_domain(domain, key, user).is_some()))
}
