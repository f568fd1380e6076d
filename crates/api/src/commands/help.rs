//! `help`: every command, or one, with its syntax.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "help",
    syntax: "[<command>]",
    doc: "Show help for all the api commands",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    if call.args.is_empty() {
        let rows = call.registry.rows();
        return format!("\nValid Commands:\n\n{}", rows.iter().map(line).collect::<String>()).into();
    }
    match call.registry.find(call.args) {
        Some(command) => line(command.row()).into(),
        None => "-ERR No such command\n".into(),
    }
}

fn line(row: &Row) -> String {
    format!("{},{},{},{}\n", row.name, row.syntax, row.doc, row.module)
}
