//! `replace`: every occurrence of one text by another.

use super::Deps;
use crate::separate::{delimited, separate};
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "replace",
    syntax: "<data>|<string1>|<string2>",
    doc: "Replace a string",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    let (text, delimiter) = delimited(call.args);
    match separate(text, delimiter, 3).as_slice() {
        [data, search, _] if search.is_empty() => data.as_str().into(),
        [data, search, with] => data.replace(search.as_str(), with).into(),
        _ => "-ERR".into(),
    }
}
