//! `luarun`: starts a script and does not wait for it. No script can be executed yet.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use super::lua;
use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "luarun",
    syntax: "<script>",
    doc: "run a script (no script can be executed yet)",
    module: "mod_lua",
};

/// FreeSWITCH mod_lua.cpp luarun_api_function: what becomes of the script is a matter of the log.
pub(super) fn run(call: &Call<'_>, _: &Arc<Server>) -> Answer {
    lua::refuse(call.args);
    "+OK\n".into()
}
