//! `xml_flush_cache`: forgets what was remembered of the directory.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};
use chappe_config::CachedUser;

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "xml_flush_cache",
    syntax: "<id> <key> <val>",
    doc: "Clear xml cache",
    module: "mod_commands",
};

/// Without arguments all of it. The directory of the files is compiled when the configuration is read and kept nowhere
/// else; what those who answer instead of the files keep is forgotten. FreeSWITCH mod_commands.c xml_flush_function.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let words: Vec<&str> = call.args.split_whitespace().collect();
    let user = match words.as_slice() {
        [key_name, key_value, domain] => Some(CachedUser { key_name, key_value, domain }),
        _ => None,
    };
    format!("+OK cleared {} entries\n", server.bindings.flush(user)).into()
}
