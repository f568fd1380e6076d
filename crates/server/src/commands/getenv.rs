//! `getenv`: a variable of the environment that the server was started with.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row = Row { name: "getenv", syntax: "<name>", doc: "getenv", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, _: &Arc<Server>) -> Answer {
    let wanted = Some(call.args).filter(|name| !name.is_empty());
    match wanted.and_then(std::env::var_os) {
        Some(value) => value.to_string_lossy().into_owned().into(),
        None => "_undef_".into(),
    }
}
