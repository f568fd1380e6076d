//! `url_encode`: percent-encodes.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row =
    Row { name: "url_encode", syntax: "<string>", doc: "Url encode a string", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    chappe_event::url_encode(call.args).into()
}
