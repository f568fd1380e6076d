//! `spawn`: runs a program, without a shell, and waits for its end.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use super::machine::{self, Program};
use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "spawn",
    syntax: "<command>",
    doc: "Execute a spawn command without capturing it's output",
    module: "mod_commands",
};

/// FreeSWITCH mod_commands.c spawn_function: `+OK` however the program ended.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let Some(program) = Program::words(call.args) else { return Answer::usage(&ROW) };
    match machine::run(server, program) {
        Answer::Later(later) => Answer::Later(Box::pin(async move {
            later.await;
            "+OK\n".to_owned()
        })),
        refused => refused,
    }
}
