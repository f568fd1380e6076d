//! `unsched_api`: deletes a task.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};
use chappe_event::leading_number;

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "unsched_api",
    syntax: "<task_id>",
    doc: "Unschedule an api command",
    module: "mod_commands",
};

/// FreeSWITCH mod_commands.c unsched_api_function, which says nothing to a task 0.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    if call.args.is_empty() {
        return format!("-ERR Invalid syntax. USAGE: {}\n", ROW.syntax).into();
    }
    match u32::try_from(leading_number(call.args)) {
        Ok(0) => "".into(),
        Ok(id) if server.scheduler.delete(id) => "+OK\n".into(),
        _ => "-ERR No such id\n".into(),
    }
}
