//! `quote_shell_arg`: makes one shell word of a text.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "quote_shell_arg",
    syntax: "<data>",
    doc: "Quote/escape a string for use on shell command line",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    if call.args.is_empty() {
        return "".into();
    }
    format!("'{}'", call.args.replace('\'', r"'\''")).into()
}
