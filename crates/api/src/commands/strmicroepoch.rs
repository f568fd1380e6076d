//! `strmicroepoch`: a date's microseconds since 1970.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "strmicroepoch",
    syntax: "<string>",
    doc: "Convert a date string into microepoch time",
    module: "mod_dptools",
};

pub(super) fn run(call: &Call<'_>, deps: &Deps) -> Answer {
    super::date_micros(call.args, deps).to_string().into()
}
