//! `unload`: switches a module off.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "unload", syntax: "[-f] <mod_name>", doc: "Unload module", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let name = module(call.args).to_owned();
    if name.is_empty() {
        return Answer::usage(&ROW);
    }
    super::blocking(server, move |server| match server.modules.unload(server, &name) {
        Ok(()) => "+OK\n".to_owned(),
        Err(error) => format!("-ERR [{error}]\n"),
    })
}

/// The module's name; `-f` before it means nothing here, where no unloading has to be forced.
pub(super) fn module(args: &str) -> &str {
    match args.strip_prefix('-') {
        Some(options) => options.split_once(' ').map_or("", |(_, name)| name.trim()),
        None => args,
    }
}
