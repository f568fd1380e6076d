//! `sofia_count_reg`: how many bindings a user, or a domain, has.

use std::sync::Arc;

use chappe_api::{Answer, Call, Command, Row};

use super::Target;
use crate::Endpoint;
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
        let world = self.0.world();
        let count = count(&world.view(), &Target::parse(call.args), self.0.registrations());
        Answer::Ready(count.map_or_else(|| "-1".to_owned(), |count| count.to_string()))
    }
}

/// `None`: no such profile. FreeSWITCH mod_sofia.c sofia_count_reg_function.
fn count(view: &View, target: &Target<'_>, all: Vec<crate::Registration>) -> Option<usize> {
    let name = target.profile.or(target.domain)?;
    let profile = view.profile(name).or_else(|| target.domain.and_then(|domain| view.profile(domain)))?;
    let counts = |registration: &crate::Registration| {
        registration.profile == *profile.name
            && (target.user.is_empty() || registration.user == target.user)
            && target.domain.is_none_or(|domain| registration.domain.eq_ignore_ascii_case(domain))
    };
    Some(all.iter().filter(|registration| counts(registration)).count())
}
