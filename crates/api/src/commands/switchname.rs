//! `switchname`: this server's name, which consoles show in their prompt.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row =
    Row { name: "switchname", syntax: "", doc: "Return the switch name", module: "mod_commands" };

pub(super) fn run(_: &Call<'_>, deps: &Deps) -> Answer {
    deps.identity.switchname.clone().into()
}
