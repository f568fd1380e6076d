//! `uptime`: how long the server has run.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "uptime",
    syntax: "[us|ms|s|m|h|d|microseconds|milliseconds|seconds|minutes|hours|days]",
    doc: "Show uptime",
    module: "mod_commands",
};

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let unit: u128 = match call.args.to_ascii_lowercase().as_str() {
        "us" | "microseconds" => 1,
        "ms" | "milliseconds" => 1_000,
        "" | "s" | "seconds" => 1_000_000,
        "m" | "minutes" => 60_000_000,
        "h" | "hours" => 3_600_000_000,
        "d" | "days" => 86_400_000_000,
        _ => return Answer::usage(&ROW),
    };
    format!("{}\n", server.started.elapsed().as_micros() / unit).into()
}
