//! `host_lookup`: a host's address.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use super::lookup;
use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "host_lookup", syntax: "<hostname>", doc: "Lookup host", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    match call.args {
        "" => "parameter missing\n".into(),
        host => lookup::host(server, host, |_| true, "!err!"),
    }
}
