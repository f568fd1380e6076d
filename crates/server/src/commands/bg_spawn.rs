//! `bg_spawn`: starts a program, without a shell, and does not wait for it.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use super::machine::{self, Program};
use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "bg_spawn",
    syntax: "<command>",
    doc: "Execute a spawn command in the background",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    match Program::words(call.args) {
        Some(program) => machine::start(server, program),
        None => Answer::usage(&ROW),
    }
}
