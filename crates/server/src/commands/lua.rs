//! `lua`: runs a script and gives what it writes.

use std::sync::Arc;

use chappe_api::{Answer, Call, Command, Row};
use chappe_script::ApiCommand;

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "lua",
    syntax: "<script> [<arguments>]",
    doc: "Run a Lua script and answer what it writes to stream",
    module: "mod_lua",
};

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    match server.modules.lua.engine() {
        Some((world, engine)) => ApiCommand::new(&ROW, world, engine).run(*call),
        None => "-ERR mod_lua is not loaded\n".into(),
    }
}
