//! `file_exists`: whether this machine has a file.

use std::path::Path;
use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "file_exists",
    syntax: "<file>",
    doc: "Check if a file exists on server",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    if call.args.is_empty() {
        return "false".into();
    }
    let path = call.args.to_owned();
    // The file may be on a disk that answers slowly.
    super::blocking(server, move |_| Path::new(&path).exists().to_string())
}
