//! `reloadxml`: reads the configuration again.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::reload::reload;
use crate::server::Server;

pub(super) const ROW: Row = Row { name: "reloadxml", syntax: "", doc: "Reload XML", module: "mod_commands" };

/// Deviation: a broken file is answered `-ERR file:line: ...`, where FreeSWITCH says `+OK [error near line ...]`.
pub(super) fn run(_: &Call<'_>, server: &Arc<Server>) -> Answer {
    super::blocking(server, |server| match reload(server) {
        Ok(()) => "+OK [Success]\n".to_owned(),
        Err(error) => format!("-ERR {error}\n"),
    })
}
