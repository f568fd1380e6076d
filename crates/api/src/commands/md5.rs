//! `md5`: the digest in lower-case hexadecimal.

use std::fmt::Write as _;

use ::md5::{Digest as _, Md5};

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row =
    Row { name: "md5", syntax: "<data>", doc: "Return md5 hash", module: "mod_commands" };

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    if call.args.is_empty() {
        return "!err!".into();
    }
    let mut text = String::with_capacity(32);
    for octet in Md5::digest(call.args.as_bytes()) {
        // Writing to a String does not fail.
        let _ = write!(text, "{octet:02x}");
    }
    text.into()
}
