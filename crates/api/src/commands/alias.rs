//! `alias`: other names for command lines, for those who sit at a console.

use super::Deps;
use crate::aliases::{Alias, MAX_ALIASES};
use crate::separate::separate;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "alias",
    syntax: "[add|stickyadd] <alias> <command> | del [<alias>|*]",
    doc: "Alias",
    module: "mod_commands",
};

/// FreeSWITCH switch_console.c switch_console_set_alias.
///
/// Deviation: aliases last as long as the server does, those of `stickyadd` too.
pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    let fields = separate(call.args, ' ', 3);
    let aliases = call.registry.aliases();
    match fields.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [verb, alias, command] if alias != command && !alias.is_empty() => {
            let sticky = verb.eq_ignore_ascii_case("stickyadd");
            if !sticky && !verb.eq_ignore_ascii_case("add") {
                return Answer::usage(&ROW);
            }
            let alias = Alias { sticky, alias: (*alias).to_owned(), command: (*command).to_owned() };
            if aliases.add(alias) {
                "+OK\n".into()
            } else {
                format!("-ERR there are {MAX_ALIASES} aliases already\n").into()
            }
        }
        [verb, "*"] if verb.eq_ignore_ascii_case("del") => {
            aliases.clear();
            "+OK\n".into()
        }
        [verb, alias] if verb.eq_ignore_ascii_case("del") => {
            aliases.remove(alias);
            "+OK\n".into()
        }
        _ => Answer::usage(&ROW),
    }
}
