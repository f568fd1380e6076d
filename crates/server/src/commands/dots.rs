//! `...`: FreeSWITCH's other name for `shutdown`.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row = Row { name: "...", syntax: "", doc: "Shutdown", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    super::shutdown::run(call, server)
}
