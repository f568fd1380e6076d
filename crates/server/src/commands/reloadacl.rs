//! `reloadacl`: reads the network lists again, with everything else.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::reload::reload;
use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "reloadacl", syntax: "", doc: "Reload XML and ACL", module: "mod_commands" };

pub(super) fn run(_: &Call<'_>, server: &Arc<Server>) -> Answer {
    super::blocking(server, |server| match reload(server) {
        Ok(()) => "+OK acl reloaded\n".to_owned(),
        Err(error) => format!("-ERR [{error}]\n"),
    })
}
