//! `create_uuid`: a new identifier.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row = Row {
    name: "create_uuid",
    syntax: "[<uuid> <other_uuid>]",
    doc: "Create a uuid",
    module: "mod_commands",
};

pub(super) fn run(_: &Call<'_>, deps: &Deps) -> Answer {
    // RFC 9562 §5.4: random octets, with the version and the variant written over them.
    let mut octets = (deps.random)();
    octets[6] = octets[6] & 0x0f | 0x40;
    octets[8] = octets[8] & 0x3f | 0x80;
    let hex = |range: std::ops::Range<usize>| -> String {
        octets[range].iter().map(|octet| format!("{octet:02x}")).collect()
    };
    [hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16)].join("-").into()
}
