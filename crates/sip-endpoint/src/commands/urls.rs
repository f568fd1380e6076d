//! The addresses of a profile, as `sofia status` shows them.

use chappe_sip_proto::Transport;

use crate::profile::{Profile, transport_name};

/// Names, in FreeSWITCH's order, and values; FreeSWITCH mod_sofia.c cmd_status.
pub fn of(profile: &Profile) -> Vec<(&'static str, String)> {
    let settings = profile.settings();
    let config = &settings.config;
    let plain: Vec<_> = [("udp", config.udp), ("tcp", config.tcp)]
        .into_iter()
        .filter(|(_, on)| *on)
        .map(|(name, _)| name)
        .collect();
    let mut urls = vec![("URL", settings.login.clone())];
    if !plain.is_empty() {
        urls.push(("BIND-URL", format!("{};transport={}", settings.login, plain.join(","))));
    }
    if let Some(url) = settings.login_by(Transport::Tls) {
        let secure = url.replacen("sip:", "sips:", 1);
        urls.push(("TLS-URL", url));
        urls.push(("TLS-BIND-URL", format!("{secure};{}", config.tls.bind_params)));
    }
    if let Some(url) = settings.login_by(Transport::Ws) {
        urls.push(("WS-BIND-URL", format!("{url};transport=ws")));
    }
    if let Some(url) = settings.login_by(Transport::Wss) {
        urls.push(("WSS-BIND-URL", format!("{};transport=wss", url.replacen("sip:", "sips:", 1))));
    }
    urls
}

/// Transports that are wanted and not there: a name and the reason.
pub fn troubles(profile: &Profile) -> Vec<(String, String)> {
    let trouble =
        |(transport, why)| (transport_name(transport).to_uppercase(), format!("not listening: {why}"));
    profile.troubles().into_iter().map(trouble).collect()
}
