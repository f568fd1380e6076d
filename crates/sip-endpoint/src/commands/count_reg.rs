//! `sofia_count_reg`: how many bindings a user, or a domain, has.

use std::sync::Arc;
use std::time::Instant;

use chappe_api::{Answer, Call, Command, Row};

use super::Target;
use super::status_profile::AT_ONCE;
use crate::Endpoint;
use crate::profile::Profile;
use crate::registrar::Registrar;
use crate::world::View;

pub const ROW: Row = Row {
    name: "sofia_count_reg",
    syntax: "[profile/]<user>@<domain>",
    doc: "Count Sofia registration",
    module: "mod_sofia",
};

pub struct SofiaCountReg(pub Arc<Endpoint>);

impl Command for SofiaCountReg {
    fn row(&self) -> &Row {
        &ROW
    }

    fn run(&self, call: Call<'_>) -> Answer {
        if call.args.is_empty() {
            return Answer::from("");
        }
        let view = self.0.world().view();
        let target = Target::parse(call.args);
        let Some(profile) = profile(&view, &target) else { return Answer::from("-1") };
        let (user, domain) = (target.user.to_owned(), target.domain.map(str::to_owned));
        let registrar = profile.registrar.clone();
        let count = move || count(&registrar, &user, domain.as_deref()).to_string();
        // One user is found without a look at the others.
        let is_quick = target.domain.is_some() && !target.user.is_empty();
        match is_quick || profile.registrar.len() <= AT_ONCE {
            true => Answer::Ready(count()),
            false => super::by_another_thread(&self.0, count),
        }
    }
}

/// FreeSWITCH mod_sofia.c sofia_count_reg_function.
fn profile<'v>(view: &'v View, target: &Target<'_>) -> Option<&'v Arc<Profile>> {
    let name = target.profile.or(target.domain)?;
    view.profile(name).or_else(|| target.domain.and_then(|domain| view.profile(domain)))
}

fn count(registrar: &Registrar, user: &str, domain: Option<&str>) -> usize {
    if let Some(domain) = domain.filter(|_| !user.is_empty()) {
        return registrar.lookup(Instant::now(), user, domain).len();
    }
    registrar.count(|aor, _| {
        (user.is_empty() || aor.user() == user)
            && domain.is_none_or(|domain| aor.domain().eq_ignore_ascii_case(domain))
    })
}
