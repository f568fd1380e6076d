//! `shutdown`: ends the server.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::{Ending, Server};

pub(super) const ROW: Row = Row { name: "shutdown", syntax: "", doc: "Shutdown", module: "mod_commands" };

pub(super) fn run(_: &Call<'_>, server: &Arc<Server>) -> Answer {
    server.end(Ending::Gently);
    "+OK\n".into()
}
