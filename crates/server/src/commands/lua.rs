//! `lua`: runs a script and gives what it writes. No script can be executed yet.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "lua",
    syntax: "<script>",
    doc: "run a script as an api function (no script can be executed yet)",
    module: "mod_lua",
};

/// FreeSWITCH mod_lua.cpp lua_api_function.
pub(super) fn run(call: &Call<'_>, _: &Arc<Server>) -> Answer {
    if call.args.is_empty() {
        return "".into();
    }
    refuse(call.args);
    "-ERR Cannot execute script\n".into()
}

pub(super) fn refuse(script: &str) {
    tracing::error!("failed to run {script}: scripts in Lua are not built in yet");
}
