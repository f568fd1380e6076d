//! `strepoch`: a date's seconds since 1970.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "strepoch",
    syntax: "<string>",
    doc: "Convert a date string into epoch time",
    module: "mod_dptools",
};

pub(super) fn run(call: &Call<'_>, deps: &Deps) -> Answer {
    (super::date_micros(call.args, deps) / 1_000_000).to_string().into()
}
