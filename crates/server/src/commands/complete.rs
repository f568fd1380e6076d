//! `complete`: adds words to what the console completes.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::completions::{MAX_COMPLETIONS, SetError};
use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "complete", syntax: "add <word>|del [<word>|*]", doc: "Complete", module: "mod_commands" };

/// Deviation: the words last as long as the server does, those of `stickyadd` too.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    match server.completions.set(call.args) {
        Ok(()) => "+OK\n".into(),
        Err(SetError::Usage) => Answer::usage(&ROW),
        Err(SetError::Full) => format!("-ERR there are {MAX_COMPLETIONS} completions already\n").into(),
    }
}
