//! `global_getvar`: a global variable, or all of them.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row =
    Row { name: "global_getvar", syntax: "<var>", doc: "Get global var", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, deps: &Deps) -> Answer {
    if !call.args.is_empty() {
        return deps.globals.get(call.args).as_deref().unwrap_or_default().into();
    }
    deps.globals.snapshot().iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>().into()
}
