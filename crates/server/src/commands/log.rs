//! `log`: writes a line to the log.

use std::sync::Arc;

use chappe_api::{Answer, Call, Row};
use chappe_event::{LogLevel, LogLine};

use crate::server::Server;

pub(super) const ROW: Row =
    Row { name: "log", syntax: "<level> <message>", doc: "Log", module: "mod_commands" };

/// FreeSWITCH mod_commands.c log_function: without a level, or with one that is none, the line is a DEBUG one.
pub(super) fn run(call: &Call<'_>, server: &Arc<Server>) -> Answer {
    if call.args.is_empty() {
        return "-ERR\n".into();
    }
    let (level, text) = match call.args.split_once(' ') {
        Some((level, text)) => (LogLevel::parse(level).unwrap_or(LogLevel::Debug), text),
        None => (LogLevel::Debug, call.args),
    };
    if level <= server.ground.log_cap.get() {
        server.ground.log_bus.send(LogLine {
            level,
            file: "mod_commands.c".into(),
            func: "log_function".into(),
            line: line!(),
            text: text.to_owned(),
            ..server.ground.stamp()
        });
    }
    "+OK\n".into()
}
