//! `acl`: whether a list of acl.conf lets an address in.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "acl",
    syntax: "<ip> <list_name>",
    doc: "Compare an ip to an acl list",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let mut words = call.args.split_whitespace();
    let (ip, list) = (words.next().and_then(|ip| ip.parse().ok()), words.next());
    let allowed = ip.zip(list).is_some_and(|(ip, list)| server.configuration().acl.allows(list, ip));
    if allowed { "true".into() } else { "false".into() }
}
