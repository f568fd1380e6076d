//! Every app of the chatplan.

use std::fmt::Write;

use super::{MADE, cell, code};

pub fn page() -> String {
    let mut text = format!(
        "{MADE}# Apps\n\nWhat an `action` or `anti-action` of the chatplan may name. An app that deals with a message \
         keeps it from being called unanswered.\n\n| app | data | deals with the message | |\n|---|---|---|---|\n"
    );
    let rows = chappe_chat::apps::rows().into_iter().chain([chappe_curl::APP]);
    for row in rows.chain(crate::modules::script_apps()) {
        let takes = if row.takes { "yes" } else { "no" };
        // Writing to a String does not fail.
        let _ = writeln!(text, "| {} | {} | {takes} | {} |", code(row.name), code(row.syntax), cell(row.doc));
    }
    text
}
