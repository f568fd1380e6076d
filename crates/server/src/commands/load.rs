//! `load`: switches a module on.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::reload::reload;
use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "load", syntax: "<mod_name>", doc: "Load Module", module: "mod_commands" };

/// FreeSWITCH mod_commands.c load_function: the configuration is read again first, so that the module finds its own.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    if call.args.is_empty() {
        return Answer::usage(&ROW);
    }
    let name = call.args.to_owned();
    super::blocking(server, move |server| {
        let reloaded = reloaded(server);
        match server.modules.load(server, &name) {
            Ok(()) => format!("{reloaded}+OK\n"),
            Err(error) => format!("{reloaded}-ERR [{error}]\n"),
        }
    })
}

/// Reads the configuration again and says so.
pub(super) fn reloaded(server: &Arc<Server>) -> String {
    match reload(server) {
        Ok(()) => "+OK Reloading XML\n".to_owned(),
        Err(error) => format!("-ERR {error}\n"),
    }
}
