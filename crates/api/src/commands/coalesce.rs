//! `coalesce`: the first value that is not empty.

use super::Deps;
use crate::separate::separate;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "coalesce",
    syntax: "[^^<delim>]<value1>,<value2>,...",
    doc: "Return first nonempty parameter",
    module: "mod_commands",
};

/// FreeSWITCH looks at no more values than this.
const MAX_VALUES: usize = 256;

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    let values = separate(call.args, ',', MAX_VALUES);
    if values.is_empty() {
        return Answer::usage(&ROW);
    }
    values.into_iter().find(|value| !value.is_empty()).unwrap_or_default().into()
}
