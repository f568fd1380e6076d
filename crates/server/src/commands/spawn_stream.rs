//! `spawn_stream`: runs a program, without a shell, and gives what it prints.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use super::machine::{self, Program};
use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "spawn_stream",
    syntax: "<command>",
    doc: "Execute a spawn command and capture it's output",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    match Program::words(call.args) {
        Some(program) => machine::run(server, program),
        None => Answer::usage(&ROW),
    }
}
