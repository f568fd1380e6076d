//! `sofia_contact`: where a user can be reached, as a dial string.

use std::sync::Arc;
use std::time::Instant;

use chappe_api::{Answer, Call, Command, Row};

use super::Target;
use crate::Endpoint;
use crate::nat;
use crate::registrar::dial_string;
use crate::world::View;

pub const ROW: Row = Row {
    name: "sofia_contact",
    syntax: "[profile/]<user>@<domain>",
    doc: "Sofia Contacts",
    module: "mod_sofia",
};

pub struct SofiaContact(pub Arc<Endpoint>);

impl Command for SofiaContact {
    fn row(&self) -> &Row {
        &ROW
    }

    fn run(&self, call: Call<'_>) -> Answer {
        if call.args.is_empty() {
            return Answer::from("");
        }
        Answer::Ready(contacts(&self.0.world().view(), &Target::parse(call.args)))
    }
}

/// FreeSWITCH mod_sofia.c sofia_contact_function.
fn contacts(view: &View, target: &Target<'_>) -> String {
    let named = target.profile.filter(|name| *name != "*");
    let by_name = named.and_then(|name| view.profile(name));
    let anywhere = target.profile == Some("*");
    let one = by_name.or_else(|| target.domain.filter(|_| !anywhere).and_then(|domain| view.profile(domain)));
    let first_domain = view.directory.domains().next().map(|domain| domain.name.as_str());
    let profiles = match one {
        Some(profile) => std::slice::from_ref(profile),
        None => &view.profiles[..],
    };
    let mut found: Vec<String> = Vec::new();
    for profile in profiles {
        let settings = profile.settings();
        let forced = settings.config.force_register_db_domain.as_deref().filter(|_| by_name.is_some());
        let Some(domain) = forced.or(target.domain).or(first_domain) else { continue };
        let id = view.directory.user(domain, target.user).map_or(target.user, |known| &known.id);
        for binding in profile.registrar.lookup(Instant::now(), id, domain) {
            let text = format!(
                "{}{}",
                target.prefix,
                dial_string(&profile.name, &nat::shown(&binding, &settings.config.nat))
            );
            if !found.contains(&text) {
                found.push(text);
            }
        }
    }
    if found.is_empty() { "error/user_not_registered".to_owned() } else { found.join(",") }
}
