//! `url_decode`: undoes percent-encoding.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row =
    Row { name: "url_decode", syntax: "<string>", doc: "Url decode a string", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    chappe_event::url_decode(call.args).into_owned().into()
}
