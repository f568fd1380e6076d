//! `gethost`: a host's IPv4 address.

use std::net::IpAddr;
use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use super::lookup;
use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "gethost", syntax: "<hostname>", doc: "gethostbyname", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    match call.args {
        "" => "-ERR".into(),
        host => lookup::host(server, host, IpAddr::is_ipv4, "-ERR"),
    }
}
