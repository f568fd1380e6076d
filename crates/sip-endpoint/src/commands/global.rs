//! `sofia global`: switches for all profiles.

use crate::world::World;

const USAGE: &str =
    "-ERR Usage: siptrace <on|off>|capture <on|off>|watchdog <on|off>|debug <sla|presence|none";

pub fn run(world: &World, words: &[&str]) -> String {
    let Some((what, value)) = words.first().zip(words.get(1)) else { return USAGE.to_owned() };
    if !what.eq_ignore_ascii_case("siptrace") {
        let known =
            ["capture", "watchdog", "standby", "debug"].into_iter().any(|k| k.eq_ignore_ascii_case(what));
        return if known { format!("-ERR {what} is not offered") } else { USAGE.to_owned() };
    }
    let on = chappe_event::is_true(value);
    world.view().profiles.iter().for_each(|profile| profile.trace(on));
    format!("+OK Global siptrace {}", if on { "on" } else { "off" })
}
