//! `console`: what the console shows.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};
use chappe_event::{LogLevel, is_true};

use crate::server::Server;

pub(super) const ROW: Row = Row {
    name: "console",
    syntax: "loglevel [[0-7] | <loglevel_string>] | colorize [on|off|toggle]",
    doc: "Console",
    module: "mod_console",
};

pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let mut words = call.args.split_whitespace();
    match words.next().map(str::to_ascii_lowercase).as_deref() {
        Some("loglevel") => loglevel(words.next(), server),
        Some("colorize") => colorize(words.next(), server),
        _ => Answer::usage(&ROW),
    }
}

/// FreeSWITCH mod_console.c console_api_function: without a level it tells the one there is.
fn loglevel(wanted: Option<&str>, server: &Server) -> Answer {
    let console = &server.ground.console;
    let Some(level) = wanted.map_or(Some(console.shown()), LogLevel::parse) else {
        return format!("-ERR Invalid console loglevel ({})!\n\n", wanted.unwrap_or_default()).into();
    };
    if wanted.is_some() {
        server.set_console_level(level);
    }
    format!("+OK console log level set to {level}\n").into()
}

fn colorize(wanted: Option<&str>, server: &Server) -> Answer {
    let console = &server.ground.console;
    match wanted {
        Some("toggle") => console.set_colorize(!console.colorize()),
        Some(word) => console.set_colorize(is_true(word)),
        None => {}
    }
    format!("+OK console color {}\n", if console.colorize() { "enabled" } else { "disabled" }).into()
}
