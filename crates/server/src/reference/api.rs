//! Every API command.

use std::fmt::Write;

use chappe_api::Row;

use super::{MADE, cell, code};

pub fn page() -> String {
    let mut rows: Vec<Row> = chappe_api::commands::rows().collect();
    rows.extend(chappe_chat::command_rows());
    rows.extend(chappe_sip_endpoint::command_rows());
    rows.extend(chappe_event_socket::command_rows());
    rows.extend(chappe_erlang::command_rows());
    rows.extend(crate::commands::rows());
    rows.push(chappe_curl::COMMAND);
    rows.extend(crate::modules::worker_commands());
    rows.sort_by_key(|row| row.name);
    let mut text = format!(
        "{MADE}# API commands\n\nFor `api` on the event socket, `chappe console -x`, and `${{name(arguments)}}` in the \
         chatplan.\n\n| command | arguments | module | |\n|---|---|---|---|\n"
    );
    for row in rows {
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
    text
}
