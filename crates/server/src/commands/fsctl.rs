//! `fsctl`: the server's own switches.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chappe_api::{Answer, Call, Row};
use chappe_event::LogLevel;

use crate::reload;
use crate::server::{Ending, Server};

pub(super) const ROW: Row = Row {
    name: "fsctl",
    syntax: "[send_sighup|shutdown [elegant|asap|now]|ready_check|shutdown_check|loglevel [level]|debug_level [level]|\
             reclaim_mem|sync_clock]",
    doc: "FS control messages",
    module: "mod_commands",
};

/// FreeSWITCH mod_commands.c ctl_function, without what only calls need.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    let words: Vec<&str> = call.args.split_whitespace().collect();
    let Some(word) = words.first().map(|word| word.to_ascii_lowercase()) else { return Answer::usage(&ROW) };
    let argument = words.get(1).copied();
    match word.as_str() {
        "loglevel" => loglevel(argument, server),
        "debug_level" => debug_level(argument, server),
        "shutdown" => shutdown(&words[1..], server),
        "send_sighup" => super::blocking(server, |server| {
            reload::hangup(server);
            "+OK\n".to_owned()
        }),
        "ready_check" => truth(server.is_ready()),
        "shutdown_check" => truth(server.is_ending()),
        // There is no memory held back and no clock of its own.
        "reclaim_mem" => "+OK\n".into(),
        "sync_clock" => "+OK clock synchronized\n".into(),
        _ => format!("-ERR Invalid command\nUSAGE: fsctl {}\n", ROW.syntax).into(),
    }
}

fn truth(value: bool) -> Answer {
    if value { "true".into() } else { "false".into() }
}

fn loglevel(wanted: Option<&str>, server: &Server) -> Answer {
    let Some(level) = wanted.map_or(Some(server.ground.log_cap.get()), LogLevel::parse) else {
        return "-ERR syntax error, log level not set!\n".into();
    };
    if wanted.is_some() {
        server.set_log_level(level);
    }
    format!("+OK log level: {level} [{}]\n", level.number()).into()
}

fn debug_level(wanted: Option<&str>, server: &Server) -> Answer {
    if let Some(level) = wanted.map(chappe_event::leading_number) {
        server.debug_level.store(u8::try_from(level.clamp(0, 10)).unwrap_or(0), Ordering::Relaxed);
    }
    format!("+OK DEBUG level: {}\n", server.debug_level.load(Ordering::Relaxed)).into()
}

/// `now` waits for nothing; all other ways finish what is under way, which takes seconds, never the hours of a call.
fn shutdown(words: &[&str], server: &Server) -> Answer {
    let has = |wanted: &str| words.iter().any(|word| word.eq_ignore_ascii_case(wanted));
    if has("restart") || has("reincarnate") {
        return "-ERR restarting is the service manager's work: use plain shutdown under one\n".into();
    }
    if has("cancel") {
        return "-ERR a shutdown takes seconds and is not cancelled\n".into();
    }
    server.end(if has("now") { Ending::AtOnce } else { Ending::Gently });
    "+OK\n".into()
}
