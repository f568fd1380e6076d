//! `hostname`: the machine's name.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row =
    Row { name: "hostname", syntax: "", doc: "Return the system hostname", module: "mod_commands" };

pub(super) fn run(_: &Call<'_>, deps: &Deps) -> Answer {
    deps.identity.hostname.clone().into()
}
