//! `system`: runs a command of the machine, where sms.conf's `allow-system` lets it.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use super::machine::{self, Program};
use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "system", syntax: "<command>", doc: "Execute a system command", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    if call.args.is_empty() {
        return Answer::usage(&ROW);
    }
    machine::run(server, Program::shell(call.args))
}
