//! `echo`: says what it was told.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row { name: "echo", syntax: "<data>", doc: "Echo", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    call.args.into()
}
