//! Every app of the chatplan.

use std::fmt::Write;

use super::{MADE, cell, code};

pub fn page() -> String {
    let mut text = format!(
        "{MADE}# Apps\n\nWhat an `action` or `anti-action` of the chatplan may name. A message that an app has dealt with \
         is not also delivered point to point.\n\n| app | data | deals with the message | |\n|---|---|---|---|\n"
    );
    for row in crate::modules::apps() {
        let takes = if row.takes { "yes" } else { "no" };
        // Writing to a String does not fail.
        let _ = writeln!(text, "| {} | {} | {takes} | {} |", code(row.name), code(row.syntax), cell(row.doc));
    }
    text
}
