//! `bg_system`: starts a command of the machine and does not wait for it.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use super::machine::{self, Program};
use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "bg_system",
    syntax: "<command>",
    doc: "Execute a system command in the background",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    if call.args.is_empty() {
        return Answer::usage(&ROW);
    }
    machine::start(server, Program::shell(call.args))
}
