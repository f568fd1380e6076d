//! `version`: which server this is.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;
use crate::version;

pub(super) const ROW: Row =
    Row { name: "version", syntax: "[short]", doc: "Version", module: "mod_commands" };

/// Begins as FreeSWITCH's does, for those who read it by pattern.
pub(super) fn run(call: &Call<'_>, _: &Arc<Server>) -> Answer {
    match call.args {
        "" => format!("FreeSWITCH Version {} (chappe)\n", version::FULL).into(),
        word if word.starts_with("short") => format!("{}\n", version::SHORT).into(),
        _ => format!("FreeSWITCH Version {} ({})\n", version::FULL, version::SHORT).into(),
    }
}
