//! `tolower`: ASCII letters alone, as C's `tolower` in FreeSWITCH's locale.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row =
    Row { name: "tolower", syntax: "<string>", doc: "Lower Case a string", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    call.args.to_ascii_lowercase().into()
}
