//! `domain_exists`: whether the directory has a domain.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "domain_exists",
    syntax: "<domain>",
    doc: "Check if a domain exists",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    match call.args {
        "" => "".into(),
        domain if server.configuration().directory.domain(domain).is_some() => "true".into(),
        _ => "false".into(),
    }
}
