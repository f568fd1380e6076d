//! `module_exists`: whether a module is loaded.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "module_exists", syntax: "<module>", doc: "Check if module exists", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    match call.args {
        "" => "".into(),
        name if server.modules.is_loaded(name) => "true".into(),
        _ => "false".into(),
    }
}
