//! `reload`: switches a module off and on again.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use super::{load, unload};
use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "reload", syntax: "[-f] <mod_name>", doc: "Reload module", module: "mod_commands" };

/// FreeSWITCH mod_commands.c reload_function. A module that can't be unloaded takes the new configuration all the same.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let name = unload::module(call.args).to_owned();
    if name.is_empty() {
        return Answer::usage(&ROW);
    }
    super::blocking(server, move |server| {
        let reloaded = load::reloaded(server);
        let unloaded = match server.modules.unload(server, &name) {
            Ok(()) => "+OK module unloaded\n".to_owned(),
            Err(error) => format!("-ERR unloading module [{error}]\n"),
        };
        let loaded = match server.modules.load(server, &name) {
            Ok(()) => "+OK module loaded\n".to_owned(),
            Err(error) => format!("-ERR loading module [{error}]\n"),
        };
        format!("{reloaded}{unloaded}{loaded}")
    })
}
