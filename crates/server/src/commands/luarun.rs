//! `luarun`: starts a script and does not wait for it.

use std::sync::Arc;

use chappe_api::{Answer, Call, Command, Row};
use chappe_script::RunCommand;

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "luarun",
    syntax: "<script> [<arguments>]",
    doc: "Start a Lua script in the background, for as long as it likes",
    module: "mod_lua",
};

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    match server.modules.lua.engine() {
        Some((world, engine)) => RunCommand::new(&ROW, world, engine).run(*call),
        None => "-ERR mod_lua is not loaded\n".into(),
    }
}
