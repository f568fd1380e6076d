//! What a profile's params say of WebSocket: `ws-binding`, `wss-binding`, `ws-allowed-origins`.

use std::net::{IpAddr, SocketAddr};

use chappe_config::{Diagnostics, Params};

/// The WebSocket part of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebSocketConfig {
    pub ws: Option<Binding>,
    pub wss: Option<Binding>,
    /// Web sites whose pages may connect, as `https://HOST[:PORT]` in lower case; empty: all.
    pub origins: Vec<String>,
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// `None`: at the profile's address.
    pub ip: Option<IpAddr>,
    pub port: u16,
}

impl Binding {
    /// `:5066`, `192.0.2.1:5066`, `[2001:db8::1]:5066`, `5066`.
    fn parse(text: &str) -> Option<Self> {
        if let Ok(addr) = text.parse::<SocketAddr>() {
            return Some(Self { ip: Some(addr.ip()), port: addr.port() });
        }
        let port = text.strip_prefix(':').unwrap_or(text).parse().ok()?;
        Some(Self { ip: None, port })
    }
}

impl WebSocketConfig {
    /// `None`: something is wrong that would make the profile another one than is meant.
    pub fn read(params: &Params<'_>, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut failed = false;
        let mut binding = |name: &str| {
            let text = params.get(name).map(str::trim).filter(|text| !text.is_empty())?;
            let binding = Binding::parse(text);
            if binding.is_none() {
                let at = params.at(name).cloned();
                diagnostics.error(at, format!("{name} {text} is no address; write :PORT or IP:PORT"));
                failed = true;
            }
            binding
        };
        let (ws, wss) = (binding("ws-binding"), binding("wss-binding"));
        let mut origins = Vec::new();
        let written = params.get("ws-allowed-origins").unwrap_or_default();
        for origin in written.split([',', ' ']).filter(|origin| !origin.is_empty()) {
            let origin = origin.trim_end_matches('/').to_ascii_lowercase();
            let host = origin.split_once("://").map(|(_, host)| host);
            if host.is_none_or(|host| host.is_empty() || host.contains('/')) {
                let at = params.at("ws-allowed-origins").cloned();
                let what = format!("ws-allowed-origins {origin} is no origin; write https://HOST[:PORT]");
                diagnostics.error(at, what);
                failed = true;
            }
            origins.push(origin);
        }
        (!failed).then_some(Self { ws, wss, origins })
    }
}

#[cfg(test)]
mod tests {
    use super::Binding;

    #[test]
    fn where_to_listen() {
        let cases = [
            (":5066", Some((None, 5066))),
            ("5066", Some((None, 5066))),
            ("192.0.2.1:7443", Some((Some("192.0.2.1"), 7443))),
            ("[::1]:7443", Some((Some("::1"), 7443))),
            ("::1", None),
            ("host:80", None),
            (":70000", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(ip, port)| Binding { ip: ip.map(|ip| ip.parse().unwrap()), port });
            assert_eq!(Binding::parse(text), expected, "{text}");
        }
    }
}
