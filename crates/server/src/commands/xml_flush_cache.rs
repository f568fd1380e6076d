//! `xml_flush_cache`: forgets what was remembered of the directory.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "xml_flush_cache",
    syntax: "<id> <key> <val>",
    doc: "Clear xml cache",
    module: "mod_commands",
};

/// FreeSWITCH mod_commands.c xml_flush_function. The directory is compiled when the configuration is read, so that no
/// user is kept beside it.
pub(super) fn run(_: &Call<'_>, _: &Arc<Server>) -> Answer {
    "+OK cleared 0 entries\n".into()
}
