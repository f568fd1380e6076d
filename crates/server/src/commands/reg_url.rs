//! `reg_url`: where a user's devices are.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "reg_url",
    syntax: "<user>@<realm>",
    doc: "The addresses a user is registered from",
    module: "mod_commands",
};

/// FreeSWITCH mod_commands.c reg_url_function; what follows a slash has no effect there.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    if call.args.is_empty() {
        return "".into();
    }
    let address = call.args.split('/').next().unwrap_or_default();
    let (user, domain) = super::split_user(server, address);
    let all = server.modules.sofia.endpoint().map(|endpoint| endpoint.registrations()).unwrap_or_default();
    let of_user = all.iter().filter(|one| one.user == user && one.domain.eq_ignore_ascii_case(&domain));
    let urls: Vec<&str> = of_user.map(|one| one.url.as_str()).collect();
    match urls.as_slice() {
        [] => "error/user_not_registered".into(),
        urls => urls.join(",").into(),
    }
}
