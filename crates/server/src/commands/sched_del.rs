//! `sched_del`: deletes a task, or a group of them.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "sched_del",
    syntax: "<task_id>|<group_id>",
    doc: "Delete a scheduled task",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let deleted = match call.args {
        "" => return "-ERR Invalid syntax\n".into(),
        id if id.bytes().all(|octet| octet.is_ascii_digit()) => {
            usize::from(id.parse().is_ok_and(|id| server.scheduler.delete(id)))
        }
        group => server.scheduler.delete_group(group),
    };
    format!("+OK Deleted: {deleted}\n").into()
}
