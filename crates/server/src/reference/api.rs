//! Every API command.

use std::fmt::Write;

use chappe_api::Row;

use super::not_provided::NOT_PROVIDED;
use super::{MADE, cell, code};

/// Every API command that some module brings, sorted by name.
pub fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = chappe_api::commands::rows().collect();
    rows.extend(chappe_chat::command_rows());
    rows.extend(chappe_sip_endpoint::command_rows());
    rows.extend(chappe_event_socket::command_rows());
    rows.extend(chappe_erlang::command_rows());
    rows.extend(crate::commands::rows());
    rows.push(chappe_curl::COMMAND);
    rows.extend(chappe_tables::command_rows());
    rows.extend(crate::modules::worker_commands());
    rows.sort_by_key(|row| row.name);
    rows
}

pub fn page() -> String {
    let mut text = format!(
        "{MADE}# API commands\n\nFor `api` on the event socket, `chappe console -x`, and `${{name(arguments)}}` in the \
         chatplan.\n\n| command | arguments | module | |\n|---|---|---|---|\n"
    );
    for row in rows() {
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            code(row.name),
            code(row.syntax),
            row.module,
            cell(row.doc)
        );
    }
    text.push_str(&not_provided());
    text
}

/// FreeSWITCH's commands that there are not, with the reason.
fn not_provided() -> String {
    let mut text = String::from(
        "\n## Not provided\n\nFreeSWITCH's commands that have no meaning here. They are answered as unknown ones are, \
         `-ERR <name> Command not found!`.\n\n| command | because |\n|---|---|\n",
    );
    for one in NOT_PROVIDED {
        let _ = writeln!(text, "| {} | {} |", code(one.name), cell(one.why));
    }
    text
}
