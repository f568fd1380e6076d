//! `sofia global`: switches for all profiles.

/// SIP messages are traced by the log level `trace`, so the switches only say what they would do.
pub fn run(words: &[&str]) -> String {
    const USAGE: &str =
        "-ERR Usage: siptrace <on|off>|capture <on|off>|watchdog <on|off>|debug <sla|presence|none";
    let Some((what, value)) = words.first().zip(words.get(1)) else { return USAGE.to_owned() };
    let known = ["siptrace", "capture", "watchdog", "standby"];
    let state = if chappe_event::is_true(value) { "on" } else { "off" };
    match known.into_iter().find(|known| known.eq_ignore_ascii_case(what)) {
        Some("siptrace") | None => USAGE.to_owned(),
        Some(known) => format!("-ERR {known} is not offered, it stays off ({state} was asked for)"),
    }
}
