//! `escape`: writes blanks and `$` with a backslash.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row =
    Row { name: "escape", syntax: "<data>", doc: "Escape a string", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    let mut text = String::with_capacity(call.args.len());
    for character in call.args.chars() {
        match character {
            '\n' => text.push_str(r"\n"),
            '\r' => text.push_str(r"\r"),
            '\t' => text.push_str(r"\t"),
            ' ' => text.push_str(r"\s"),
            '$' => text.push_str(r"\$"),
            other => text.push(other),
        }
    }
    text.into()
}
