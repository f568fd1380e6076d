//! Every param of every configuration file.

use std::fmt::Write;

use chappe_config::{ParamRow, ParamStatus};

use super::{MADE, cell, code};
use crate::logging::{CONSOLE_PARAMS, LOGFILE_PARAMS, PROFILE_PARAMS};

/// File, element and table, in the order of the page.
fn tables() -> Vec<(&'static str, &'static str, &'static [ParamRow])> {
    vec![
        ("sofia.conf", "the `settings` of a profile", &chappe_sip_endpoint::PROFILE_PARAMS),
        ("sofia.conf", "a `gateway`", &chappe_sip_endpoint::GATEWAY_PARAMS),
        ("sofia.conf", "`global_settings`", &chappe_sip_endpoint::GLOBAL_PARAMS),
        ("sms.conf", "`settings`", &chappe_chatplan::SMS_PARAMS),
        ("curl.conf", "`settings`", chappe_curl::PARAMS),
        ("db.conf", "`settings`", chappe_tables::DB_PARAMS),
        ("xml_curl.conf", "a `binding`", chappe_xml_curl::PARAMS),
        ("lua.conf", "`settings`", crate::lua_conf::PARAMS),
        ("python.conf, perl.conf, v8.conf", "`settings`", crate::worker_conf::PARAMS),
        ("event_socket.conf", "`settings`", chappe_event_socket::PARAMS),
        ("erlang_event.conf", "`settings`", chappe_erlang::PARAMS),
        ("switch.conf", "`settings`", crate::switch_conf::PARAMS),
        ("console.conf", "`settings`", CONSOLE_PARAMS),
        ("logfile.conf", "`settings`", LOGFILE_PARAMS),
        ("logfile.conf", "the `settings` of a profile", PROFILE_PARAMS),
    ]
}

pub fn page() -> String {
    let mut text = format!("{MADE}# Params\n");
    for (file, element, rows) in tables() {
        // Writing to a String does not fail.
        let _ = write!(text, "\n## {file}, {element}\n\n| param | value | default | |\n|---|---|---|---|\n");
        for row in rows.iter().filter(|row| row.status == ParamStatus::Used) {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                code(row.name),
                cell(row.syntax),
                cell(row.default),
                cell(row.doc)
            );
        }
        text.push_str(&ignored(rows));
    }
    text
}

/// The params that FreeSWITCH knows and that have no meaning here, with the reason.
fn ignored(rows: &[ParamRow]) -> String {
    let mut text = String::new();
    for row in rows {
        if let ParamStatus::Ignored(why) = row.status {
            let _ = writeln!(text, "| {} | {} |", code(row.name), cell(why));
        }
    }
    if text.is_empty() {
        text
    } else {
        format!("\n| known, without a meaning here | because |\n|---|---|\n{text}")
    }
}
