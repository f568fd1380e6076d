//! How a gateway is written: the addresses of its requests, worked out once. FreeSWITCH sofia.c parse_gateways.

use std::net::SocketAddr;

use chappe_sip_proto::Transport;

use crate::config::GatewayConfig;

/// The value of `extension` that means the user of To.
pub const AUTO_TO_USER: &str = "auto_to_user";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// `sip:proxy`, the Request-URI of REGISTER.
    pub registrar: String,
    /// `<sip:from-user@from-domain>`.
    pub from: String,
    /// `sip:username@proxy`.
    pub to: String,
    /// `<sip:gw+NAME@192.0.2.1:5060;transport=udp;gw=NAME>`, with the address that everybody is told.
    pub contact: String,
    /// The user of `contact`.
    pub contact_user: String,
    /// `<sip:from-domain>`, From and To of OPTIONS.
    pub ping: String,
    /// Route of MESSAGE: the outbound proxy.
    pub route: Option<String>,
    /// Route of REGISTER and OPTIONS where they go by TLS: the register-proxy. RFC 5922 §4: the certificate is that of the host
    /// in Route, else in the Request-URI.
    pub tls_route: Option<String>,
}

/// What others are told of where the profile listens, by transport.
pub type Announced<'a> = &'a dyn Fn(Transport) -> &'a str;

impl Words {
    /// `own`: where the profile listens.
    pub fn new(config: &GatewayConfig, own: SocketAddr, announced: Announced<'_>) -> Self {
        let host = config.from_domain.as_deref().unwrap_or(&config.proxy);
        let proxy = &config.proxy;
        let contact_user = match config.extension_in_contact {
            true => config.extension.clone().unwrap_or_else(|| config.username.clone()),
            false => format!("gw+{}", config.name),
        };
        Self {
            registrar: format!("sip:{proxy}"),
            from: format!("<sip:{}@{host}>", config.from_user),
            to: format!("sip:{}@{proxy}", config.username),
            contact: contact(config, &contact_user, own, announced(transport(config))),
            contact_user,
            ping: format!("<sip:{host}>"),
            route: config.outbound_proxy.as_deref().map(route),
            tls_route: config.register_proxy.as_deref().map(route),
        }
    }
}

/// Route to a proxy of the configuration.
pub fn route(proxy: &str) -> String {
    let lr = if proxy.contains(";lr") { "" } else { ";lr" };
    format!("<sip:{proxy}{lr}>")
}

/// By which the gateway's messages come to us.
pub fn transport(config: &GatewayConfig) -> Transport {
    config.registrar_hop().transport.unwrap_or(Transport::Udp)
}

/// Contact, where the gateway is told that the profile listens at `sent_by`.
pub fn contact(config: &GatewayConfig, user: &str, own: SocketAddr, sent_by: &str) -> String {
    let address: Option<SocketAddr> = sent_by.parse().ok();
    let port = address.map_or(own.port(), |address| address.port());
    let host = match config.contact_host.as_deref() {
        Some("sip-ip") => own.ip().to_string(),
        Some(host) => host.to_owned(),
        None => address.map_or(own.ip(), |address| address.ip()).to_string(),
    };
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
    let params = match config.contact_params.as_str() {
        params if params.is_empty() || params.starts_with(';') => params.to_owned(),
        params => format!(";{params}"),
    };
    let transport = transport(config).as_str().to_ascii_lowercase();
    format!("<sip:{user}@{host}:{port}{params};transport={transport};gw={}>", config.name)
}

#[cfg(test)]
mod tests {
    use chappe_config::Diagnostics;
    use expect_test::{Expect, expect};

    use super::*;

    fn check(params: &str, expected: Expect) {
        let params: String = params
            .split_whitespace()
            .filter_map(|param| param.split_once('='))
            .map(|(name, value)| format!("<param name=\"{name}\" value=\"{value}\"/>\n"))
            .collect();
        let text = format!(
            "<document type=\"freeswitch/xml\"><section name=\"configuration\"><configuration name=\"sofia.conf\">\
             <gateways><gateway name=\"carrier\">{params}</gateway></gateways></configuration></section></document>"
        );
        let files = chappe_config::MemoryFiles::new().with("/c/freeswitch.xml", text);
        let loaded = chappe_config::load(std::path::Path::new("/c/freeswitch.xml"), &files, &[]);
        let mut diagnostics = Diagnostics::new();
        let root = loaded.document.configuration("sofia.conf").unwrap();
        let config = GatewayConfig::read_all(root, "public", &mut diagnostics).remove(0);
        let own = "192.0.2.1:5070".parse().unwrap();
        let announced = |transport| match transport {
            Transport::Tls => "203.0.113.1:5081",
            _ => "203.0.113.1:5080",
        };
        let words = Words::new(&config, own, &announced);
        expected.assert_eq(&format!("{words:#?}\n"));
    }

    #[test]
    fn with_the_least_that_is_needed() {
        check(
            "username=alice password=x proxy=sip.example.net",
            expect![[r#"
                Words {
                    registrar: "sip:sip.example.net",
                    from: "<sip:alice@sip.example.net>",
                    to: "sip:alice@sip.example.net",
                    contact: "<sip:gw+carrier@203.0.113.1:5080;transport=udp;gw=carrier>",
                    contact_user: "gw+carrier",
                    ping: "<sip:sip.example.net>",
                    route: None,
                    tls_route: None,
                }
            "#]],
        );
    }

    #[test]
    fn by_tls_the_contact_is_where_tls_is_listened_on() {
        check(
            "username=alice password=x proxy=sip.example.net register-proxy=edge.example.net register-transport=tls",
            expect![[r#"
                Words {
                    registrar: "sip:sip.example.net",
                    from: "<sip:alice@sip.example.net>",
                    to: "sip:alice@sip.example.net",
                    contact: "<sip:gw+carrier@203.0.113.1:5081;transport=tls;gw=carrier>",
                    contact_user: "gw+carrier",
                    ping: "<sip:sip.example.net>",
                    route: None,
                    tls_route: Some(
                        "<sip:edge.example.net;lr>",
                    ),
                }
            "#]],
        );
    }

    #[test]
    fn with_everything_else() {
        check(
            "username=alice password=x realm=example.net proxy=sip:10.0.0.1:5062 from-user=bob from-domain=b.example \
             extension=100 extension-in-contact=true contact-params=tport=x contact-host=sip-ip register-transport=tcp \
             outbound-proxy=edge.example.net",
            expect![[r#"
                Words {
                    registrar: "sip:10.0.0.1:5062",
                    from: "<sip:bob@b.example>",
                    to: "sip:alice@10.0.0.1:5062",
                    contact: "<sip:100@192.0.2.1:5080;tport=x;transport=tcp;gw=carrier>",
                    contact_user: "100",
                    ping: "<sip:b.example>",
                    route: Some(
                        "<sip:edge.example.net;lr>",
                    ),
                    tls_route: None,
                }
            "#]],
        );
    }
}
