//! `sofia status`: the profiles and their other names.

use std::sync::Arc;

use chappe_sip_proto::Transport;

use super::{gateway, status_profile};
use crate::Endpoint;

pub const LINE: &str =
    "=================================================================================================";

/// The transports that have a line of their own, and what it says behind their address.
pub const SECURE: [(Transport, &str); 3] = [
    (Transport::Tls, "RUNNING (0) (TLS)"),
    (Transport::Ws, "RUNNING (0) (WS)"),
    (Transport::Wss, "RUNNING (0) (WSS)"),
];

/// FreeSWITCH mod_sofia.c cmd_status.
pub fn run(endpoint: &Arc<Endpoint>, words: &[&str]) -> String {
    match words {
        [] => summary(endpoint),
        [one] if one.eq_ignore_ascii_case("gateway") => gateway::all(endpoint.world()),
        [what, name, rest @ ..] if what.eq_ignore_ascii_case("profile") => {
            status_profile::run(endpoint.world(), name, rest)
        }
        ["profile"] => "Invalid Profile!\n".to_owned(),
        [what, name, ..] if what.eq_ignore_ascii_case("gateway") => gateway::one(endpoint.world(), name),
        _ => "Invalid Syntax!\n".to_owned(),
    }
}

fn summary(endpoint: &Endpoint) -> String {
    let view = endpoint.world().view();
    let mut out = row("Name", "   Type", "Data", "State");
    out += LINE;
    out.push('\n');
    for profile in &view.profiles {
        let settings = profile.settings();
        out += &row(&profile.name, "profile", &settings.login, "RUNNING (0)");
        for (transport, state) in SECURE {
            if let Some(url) = settings.login_by(transport) {
                out += &row(&profile.name, "profile", &url, state);
            }
        }
        out += &gateway::summary(profile, endpoint.world());
    }
    let aliases = view.aliases();
    for (alias, profile) in &aliases {
        out += &row(alias, "  alias", &profile.name, "ALIASED");
    }
    let (profiles, others) = (view.profiles.len(), aliases.len());
    let plural = |count, end| if count == 1 { "" } else { end };
    out += &format!(
        "{LINE}\n{profiles} profile{} {others} alias{}\n",
        plural(profiles, "s"),
        plural(others, "es")
    );
    out
}

fn row(name: &str, kind: &str, data: &str, state: &str) -> String {
    format!("{name:>25}\t{kind}\t  {data:>40}\t{state}\n")
}
