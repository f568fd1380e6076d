//! `is_lan_addr`: whether an address is one of a local network.

use super::Deps;
use crate::{Answer, Call, Row};

pub(super) const ROW: Row =
    Row { name: "is_lan_addr", syntax: "<ip>", doc: "See if an ip is a lan addr", module: "mod_commands" };

/// FreeSWITCH switch_utils.c switch_is_lan_addr compares the text; 172.16 to 172.31 are local besides.
const LOCAL: [&str; 9] = ["10.", "192.168.", "127.", "255.", "0.", "1.", "2.", "192.0.2.", "169.254."];

pub(super) fn run(call: &Call<'_>, _: &Deps) -> Answer {
    if is_local(call.args) { "true".into() } else { "false".into() }
}

fn is_local(ip: &str) -> bool {
    LOCAL.iter().any(|start| ip.starts_with(start)) || is_172(ip)
}

fn is_172(ip: &str) -> bool {
    let second = ip.strip_prefix("172.").and_then(|rest| rest.split_once('.'));
    second.is_some_and(|(second, _)| {
        second.len() == 2 && second.parse().is_ok_and(|n: u8| (16..32).contains(&n))
    })
}
