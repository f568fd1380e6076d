//! `in_group`: whether a user is in a group.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "in_group",
    syntax: "<user>[@<domain>],<group_name>",
    doc: "Determine if a user is in a group",
    module: "mod_commands",
};

/// FreeSWITCH mod_commands.c in_group_function, whose separator is a comma whatever its own help says.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let Some((user, group)) = call.args.split_once(',') else { return "false".into() };
    let (user, domain) = super::split_user(server, user.trim());
    let configuration = server.configuration();
    let found = configuration.directory.domain(&domain).and_then(|domain| domain.group(group.trim()));
    let is_in =
        found.is_some_and(|group| group.members.iter().any(|member| member.eq_ignore_ascii_case(user)));
    if is_in { "true".into() } else { "false".into() }
}
