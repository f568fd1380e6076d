//! `sql_escape`: doubles the quotation marks of a text that goes into an SQL string.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "sql_escape",
    syntax: "<string>",
    doc: "Escape a string to prevent sql injection",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    match call.args {
        "" => Answer::usage(&ROW),
        text => text.replace('\'', "''").into(),
    }
}
