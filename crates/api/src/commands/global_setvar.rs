//! `global_setvar`: sets a global variable, or, when what it is now is given too, swaps it.

use super::Deps;
use crate::separate::separate;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "global_setvar",
    syntax: "<var>=<value> [=<value2>]",
    doc: "Set global var",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, deps: &Deps) -> Answer {
    let fields = separate(call.args, '=', 3);
    let field = |at: usize| fields.get(at).map(String::as_str).filter(|text| !text.is_empty());
    let Some(name) = field(0) else { return Answer::usage(&ROW) };
    if let Some(before) = field(2)
        && deps.globals.get(name).as_deref() != Some(before)
    {
        return "+OK".into();
    }
    match field(1) {
        Some(value) => deps.globals.set(name, value),
        None => {
            deps.globals.remove(name);
        }
    }
    "+OK".into()
}
