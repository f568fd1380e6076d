//! `event_socket.conf`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chappe_config::{Diagnostics, Document, Element, ParamRow, ParamStatus, read_params};

use crate::OutboundConfig;

/// Every param of `event_socket.conf`.
pub const PARAMS: &[ParamRow] = &[
    ParamRow {
        name: "listen-ip",
        syntax: "IP",
        default: "127.0.0.1",
        doc: "Address to listen on; :: takes IPv4 as well",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "listen-port",
        syntax: "0..65535",
        default: "8021",
        doc: "Port to listen on; 0 takes a free one",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "password",
        syntax: "TEXT",
        default: "ClueCon",
        doc: "What clients have to say after `auth`",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "apply-inbound-acl",
        syntax: "LIST|CIDR",
        default: "loopback.auto",
        doc: "Who may connect; when repeated, every list has to allow the address",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "stop-on-bind-error",
        syntax: "true|false",
        default: "false",
        doc: "Whether an address that can't be listened on keeps the server from starting",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "max-queue-len",
        syntax: "1..1000000",
        default: "20000",
        doc: "Events and log lines that may wait for a client; what comes then is counted and left out",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "max-connections",
        syntax: "1..100000",
        default: "1000",
        doc: "Clients at the same time",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "max-unauthenticated",
        syntax: "1..100000",
        default: "64",
        doc: "Clients at the same time that have not said the password yet",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "auth-timeout",
        syntax: "1..3600",
        default: "25",
        doc: "Seconds a client has to say the password",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "outbound-connect-timeout",
        syntax: "1..60",
        default: "5",
        doc: "Seconds the app `socket` waits for each program it connects to",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "outbound-timeout",
        syntax: "1..3600",
        default: "30",
        doc: "Seconds a program that the app `socket` connects to has for a message, connecting included",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "outbound-max-connections",
        syntax: "1..100000",
        default: "1000",
        doc: "Connections of the app `socket` at the same time; a message past that is answered 503",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "outbound-max-linger",
        syntax: "0..3600",
        default: "60",
        doc: "Seconds a program that asks to `linger` stays connected after its message, at most",
        status: ParamStatus::Used,
    },
    ParamRow {
        name: "nat-map",
        syntax: "true|false",
        default: "false",
        doc: "Map the port on the router",
        status: ParamStatus::Ignored("ports are not mapped on routers"),
    },
    ParamRow {
        name: "debug",
        syntax: "0..10",
        default: "0",
        doc: "Log connections",
        status: ParamStatus::Ignored("connections are logged at level debug"),
    },
];

const DEFAULT_PASSWORD: &str = "ClueCon";

/// How the event socket listens and whom it lets in.
#[derive(Clone, PartialEq, Eq)]
pub struct EventSocketConfig {
    pub listen: SocketAddr,
    pub password: Arc<str>,
    /// Names of lists, all of which have to allow an address.
    pub acl: Vec<String>,
    pub stop_on_bind_error: bool,
    /// Events and log lines that may wait for one client.
    pub max_queue_len: usize,
    pub max_connections: usize,
    pub max_unauthenticated: usize,
    pub auth_timeout: Duration,
    /// How long a client that gave a wrong password waits for its answer.
    pub failed_auth_delay: Duration,
    /// Of the app `socket`.
    pub outbound: OutboundConfig,
}

impl Default for EventSocketConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 8021),
            password: DEFAULT_PASSWORD.into(),
            acl: vec!["loopback.auto".to_owned()],
            stop_on_bind_error: false,
            max_queue_len: 20_000,
            max_connections: 1_000,
            max_unauthenticated: 64,
            auth_timeout: Duration::from_secs(25),
            failed_auth_delay: Duration::from_secs(1),
            outbound: OutboundConfig::default(),
        }
    }
}

impl std::fmt::Debug for EventSocketConfig {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventSocketConfig")
            .field("listen", &self.listen)
            .field("acl", &self.acl)
            .finish_non_exhaustive()
    }
}

impl EventSocketConfig {
    /// Reads `event_socket.conf`; without it the defaults hold.
    pub fn read(document: &Document, d: &mut Diagnostics) -> Self {
        let configuration = document.configuration("event_socket.conf");
        match configuration.and_then(|configuration| configuration.child("settings")) {
            Some(settings) => Self::from_settings(settings, d),
            None => Self::default(),
        }
    }

    fn from_settings(settings: &Element, d: &mut Diagnostics) -> Self {
        let default = Self::default();
        let params = read_params(settings, PARAMS, d);
        let ip: IpAddr = params.ip("listen-ip", d).unwrap_or(default.listen.ip());
        let port = params.u16_in("listen-port", default.listen.port(), 0..=u16::MAX, d);
        let text = |name| params.get(name).filter(|value| !value.is_empty());
        let acl: Vec<_> =
            params.all("apply-inbound-acl").filter(|list| !list.is_empty()).map(str::to_owned).collect();
        let mut size = |name, default: usize, most: u32| {
            params.u32_in(name, u32::try_from(default).unwrap_or(most), 1..=most, d) as usize
        };
        let mut config = Self {
            listen: SocketAddr::new(ip, port),
            password: text("password").map_or(default.password, Arc::from),
            acl: if acl.is_empty() { default.acl } else { acl },
            max_queue_len: size("max-queue-len", default.max_queue_len, 1_000_000),
            max_connections: size("max-connections", default.max_connections, 100_000),
            max_unauthenticated: size("max-unauthenticated", default.max_unauthenticated, 100_000),
            auth_timeout: Duration::from_secs(params.u64_in("auth-timeout", 25, 1..=3_600, d)),
            stop_on_bind_error: params.bool("stop-on-bind-error", false, d),
            failed_auth_delay: default.failed_auth_delay,
            outbound: OutboundConfig::from_params(&params, d),
        };
        config.outbound.max_queue_len = config.max_queue_len;
        if let Some(at) = params.at("apply-inbound-acl").filter(|_| config.is_open_to_strangers()) {
            d.warning(
                at,
                "hosts other than this one may connect, and the password is the one everybody knows",
            );
        }
        config
    }

    fn is_open_to_strangers(&self) -> bool {
        &*self.password == DEFAULT_PASSWORD
            && !self.listen.ip().is_loopback()
            && !self.acl.iter().any(|list| list == "loopback.auto")
    }
}

#[cfg(test)]
mod tests {
    use chappe_config::parse_fragment;

    use super::*;

    fn read(settings: &str) -> (EventSocketConfig, Vec<String>) {
        let text = format!(
            "<document><section name=\"configuration\"><configuration name=\"event_socket.conf\">\
             <settings>{settings}</settings></configuration></section></document>"
        );
        let (document, mut diagnostics) = parse_fragment(&text, "event_socket.conf.xml");
        let config = EventSocketConfig::read(&document, &mut diagnostics);
        (config, diagnostics.iter().map(|diagnostic| diagnostic.text.clone()).collect())
    }

    #[test]
    fn without_a_file_the_defaults_hold() {
        let (document, mut diagnostics) = parse_fragment("<document/>", "freeswitch.xml");
        assert_eq!(EventSocketConfig::read(&document, &mut diagnostics), EventSocketConfig::default());
        assert_eq!(read(""), (EventSocketConfig::default(), vec![]));
        assert!(diagnostics.is_empty());
    }

    #[test]
    fn the_table_tells_the_defaults() {
        let settings: String = PARAMS
            .iter()
            .filter(|row| row.status == ParamStatus::Used)
            .map(|row| format!("<param name=\"{}\" value=\"{}\"/>", row.name, row.default))
            .collect();
        assert_eq!(read(&settings), (EventSocketConfig::default(), vec![]));
    }

    #[test]
    fn every_param_is_read() {
        let (config, diagnostics) = read(
            "<param name=\"listen-ip\" value=\"::1\"/>\
             <param name=\"listen-port\" value=\"0\"/>\
             <param name=\"password\" value=\"s3cret\"/>\
             <param name=\"apply-inbound-acl\" value=\"lan\"/>\
             <param name=\"apply-inbound-acl\" value=\"10.0.0.0/8\"/>\
             <param name=\"stop-on-bind-error\" value=\"true\"/>\
             <param name=\"max-queue-len\" value=\"5\"/>\
             <param name=\"max-connections\" value=\"6\"/>\
             <param name=\"max-unauthenticated\" value=\"7\"/>\
             <param name=\"auth-timeout\" value=\"8\"/>\
             <param name=\"outbound-connect-timeout\" value=\"9\"/>\
             <param name=\"outbound-timeout\" value=\"10\"/>\
             <param name=\"outbound-max-connections\" value=\"11\"/>\
             <param name=\"outbound-max-linger\" value=\"0\"/>",
        );
        let expected = EventSocketConfig {
            listen: "[::1]:0".parse().expect("an address"),
            password: "s3cret".into(),
            acl: vec!["lan".to_owned(), "10.0.0.0/8".to_owned()],
            stop_on_bind_error: true,
            max_queue_len: 5,
            max_connections: 6,
            max_unauthenticated: 7,
            auth_timeout: Duration::from_secs(8),
            outbound: OutboundConfig {
                connect_timeout: Duration::from_secs(9),
                timeout: Duration::from_secs(10),
                max_connections: 11,
                max_linger: Duration::ZERO,
                max_queue_len: 5,
            },
            ..EventSocketConfig::default()
        };
        assert_eq!((config, diagnostics), (expected, vec![]));
    }

    #[test]
    fn everything_wrong_is_told() {
        for (settings, told) in [
            ("<param name=\"nat-map\" value=\"false\"/>", "param nat-map has no meaning here"),
            ("<param name=\"listen-prot\" value=\"1\"/>", "unknown param listen-prot"),
            ("<param name=\"listen-port\" value=\"70000\"/>", "listen-port: `70000`"),
            ("<param name=\"listen-ip\" value=\"here\"/>", "listen-ip: `here`"),
            ("<param name=\"max-queue-len\" value=\"0\"/>", "max-queue-len: `0`"),
            (
                "<param name=\"listen-ip\" value=\"::\"/><param name=\"apply-inbound-acl\" value=\"lan\"/>",
                "hosts other than this one may connect",
            ),
        ] {
            let (_, diagnostics) = read(settings);
            assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
            assert!(diagnostics[0].starts_with(told), "{diagnostics:?}");
        }
    }

    #[test]
    fn the_password_is_not_shown() {
        assert!(!format!("{:?}", EventSocketConfig::default()).contains("ClueCon"));
    }
}
