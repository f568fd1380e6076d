//! `banner`: what the server calls itself.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;
use crate::version;

pub(super) const ROW: Row =
    Row { name: "banner", syntax: "", doc: "Return the system banner", module: "mod_commands" };

pub(super) fn run(_: &Call<'_>, _: &Arc<Server>) -> Answer {
    format!("\nchappe {}, a message router for SIP SIMPLE\n\n", version::SHORT).into()
}
