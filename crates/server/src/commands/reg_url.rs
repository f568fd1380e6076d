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
    let endpoint = server.modules.sofia.endpoint();
    let all = endpoint.map(|endpoint| endpoint.registrations_of(&user, &domain)).unwrap_or_default();
    let urls: Vec<&str> = all.iter().map(|one| one.url.as_str()).collect();
    match urls.as_slice() {
        [] => "error/user_not_registered".into(),
        urls => urls.join(",").into(),
    }
}
