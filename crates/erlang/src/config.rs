//! `erlang_event.conf`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chappe_config::{Diagnostics, Document, Element, ParamRow, read_params};

use crate::{CookieSource, Encoding};

/// Every param of `erlang_event.conf`.
pub const PARAMS: &[ParamRow] = &[
    ParamRow::used("listen-ip", "IP", "127.0.0.1", "Address to listen on; 0.0.0.0 is every one"),
    ParamRow::used("listen-port", "0..65535", "8031", "Port to listen on; 0 takes a free one"),
    ParamRow::used(
        "nodename",
        "NAME|NAME@HOST",
        "freeswitch",
        "This node's name; without @HOST the machine's name is added",
    ),
    ParamRow::used(
        "shortname",
        "true|false",
        "true",
        "Whether the machine's name is cut at its first dot, for nodes started with -sname",
    ),
    ParamRow::used(
        "cookie",
        "TEXT",
        "",
        "The secret that nodes share; without it and cookie-file the file .erlang.cookie of the home folder has it",
    ),
    ParamRow::used("cookie-file", "PATH", "", "A file that has the cookie and that only its owner may read"),
    ParamRow::used(
        "encoding",
        "string|binary",
        "string",
        "Whether texts are sent as strings (lists of octets) or as binaries",
    ),
    ParamRow::used(
        "apply-inbound-acl",
        "LIST|CIDR",
        "loopback.auto",
        "Who may connect; when repeated, every list has to allow the address",
    ),
    ParamRow::used(
        "max-queue-len",
        "1..1000000",
        "20000",
        "Events and log lines that may wait for a node; what comes then is counted and left out",
    ),
    ParamRow::used("max-connections", "1..100000", "100", "Nodes at the same time"),
    ParamRow::used(
        "max-unauthenticated",
        "1..100000",
        "64",
        "Connections at the same time that have not proved to know the cookie yet",
    ),
    ParamRow::used("auth-timeout", "1..3600", "10", "Seconds a node has to prove that it knows the cookie"),
    ParamRow::used(
        "fetch-timeout",
        "1..60",
        "5",
        "Seconds a process has to answer for a section it has bound",
    ),
    ParamRow::ignored("max-event-bulk", "events are sent as fast as the node takes them"),
    ParamRow::ignored("max-log-bulk", "log lines are sent as fast as the node takes them"),
    ParamRow::ignored("compat-rel", "what nodes can do is agreed with each; OTP 23 and later are spoken to"),
    ParamRow::ignored("stop-on-bind-error", "the module is not loaded when its address can't be listened on"),
];

/// The cookie in FreeSWITCH's sample configuration.
const KNOWN_COOKIE: &str = "ClueCon";

/// How the node listens and whom it lets in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErlangConfig {
    pub listen: SocketAddr,
    /// With or without `@HOST`.
    pub nodename: String,
    pub shortname: bool,
    pub cookie: CookieSource,
    pub encoding: Encoding,
    /// Names of lists, all of which have to allow an address.
    pub acl: Vec<String>,
    /// Events and log lines that may wait for one node.
    pub max_queue_len: usize,
    pub max_connections: usize,
    pub max_unauthenticated: usize,
    pub auth_timeout: Duration,
    pub fetch_timeout: Duration,
}

impl Default for ErlangConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 8031),
            nodename: "freeswitch".to_owned(),
            shortname: true,
            cookie: CookieSource::Home,
            encoding: Encoding::String,
            acl: vec!["loopback.auto".to_owned()],
            max_queue_len: 20_000,
            max_connections: 100,
            max_unauthenticated: 64,
            auth_timeout: Duration::from_secs(10),
            fetch_timeout: Duration::from_secs(5),
        }
    }
}

impl ErlangConfig {
    /// Reads `erlang_event.conf`; without it the defaults hold.
    pub fn read(document: &Document, d: &mut Diagnostics) -> Self {
        let configuration = document.configuration("erlang_event.conf");
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
        let text = |name| params.get(name).map(str::trim).filter(|value| !value.is_empty());
        let acl: Vec<_> =
            params.all("apply-inbound-acl").filter(|list| !list.is_empty()).map(str::to_owned).collect();
        // FreeSWITCH mod_erlang_event.c config: what is written last counts, but a file that can't be read leaves the
        // cookie. Deviation: a cookie that is written out always goes before a file.
        let cookie = match (text("cookie"), text("cookie-file")) {
            (Some(cookie), _) => CookieSource::Text(Arc::from(cookie)),
            (None, Some(file)) => CookieSource::File(PathBuf::from(file)),
            (None, None) => CookieSource::Home,
        };
        let encoding = params.one_of("encoding", "string", &["string", "binary"], d);
        let mut size = |name, default: usize, most: u32| {
            params.u32_in(name, u32::try_from(default).unwrap_or(most), 1..=most, d) as usize
        };
        let config = Self {
            listen: SocketAddr::new(ip, port),
            nodename: text("nodename").map_or(default.nodename, str::to_owned),
            cookie,
            encoding: if encoding == "binary" { Encoding::Binary } else { Encoding::String },
            acl: if acl.is_empty() { default.acl } else { acl },
            max_queue_len: size("max-queue-len", default.max_queue_len, 1_000_000),
            max_connections: size("max-connections", default.max_connections, 100_000),
            max_unauthenticated: size("max-unauthenticated", default.max_unauthenticated, 100_000),
            shortname: params.bool("shortname", true, d),
            auth_timeout: Duration::from_secs(params.u64_in("auth-timeout", 10, 1..=3_600, d)),
            fetch_timeout: Duration::from_secs(params.u64_in("fetch-timeout", 5, 1..=60, d)),
        };
        if let Some(at) = params.at("nodename").filter(|_| config.nodename.matches('@').count() > 1) {
            d.error(at, format!("nodename: `{}` has more than one @", config.nodename)).instead("NAME@HOST");
        }
        if let Some(at) = params.at("apply-inbound-acl").filter(|_| config.is_open_to_strangers()) {
            d.warning(at, "hosts other than this one may connect, and the cookie is the one everybody knows");
        }
        config
    }

    fn is_open_to_strangers(&self) -> bool {
        self.cookie == CookieSource::Text(KNOWN_COOKIE.into())
            && !self.listen.ip().is_loopback()
            && !self.acl.iter().any(|list| list == "loopback.auto")
    }
}

#[cfg(test)]
mod tests {
    use chappe_config::{ParamStatus, parse_fragment};

    use super::*;

    fn read(settings: &str) -> (ErlangConfig, Vec<String>) {
        let text = format!(
            "<document><section name=\"configuration\"><configuration name=\"erlang_event.conf\">\
             <settings>{settings}</settings></configuration></section></document>"
        );
        let (document, mut diagnostics) = parse_fragment(&text, "erlang_event.conf.xml");
        let config = ErlangConfig::read(&document, &mut diagnostics);
        (config, diagnostics.iter().map(|diagnostic| diagnostic.text.clone()).collect())
    }

    #[test]
    fn without_a_file_the_defaults_hold() {
        assert_eq!(read(""), (ErlangConfig::default(), vec![]));
    }

    #[test]
    fn the_table_tells_the_defaults() {
        let settings: String = PARAMS
            .iter()
            .filter(|row| row.status == ParamStatus::Used)
            .map(|row| format!("<param name=\"{}\" value=\"{}\"/>", row.name, row.default))
            .collect();
        assert_eq!(read(&settings), (ErlangConfig::default(), vec![]));
    }

    #[test]
    fn every_param_is_read() {
        let (config, diagnostics) = read(
            "<param name=\"listen-ip\" value=\"0.0.0.0\"/><param name=\"listen-port\" value=\"9\"/>\
             <param name=\"nodename\" value=\"a@b\"/><param name=\"shortname\" value=\"false\"/>\
             <param name=\"cookie-file\" value=\"/cookie\"/><param name=\"encoding\" value=\"binary\"/>\
             <param name=\"apply-inbound-acl\" value=\"lan\"/><param name=\"max-queue-len\" value=\"1\"/>\
             <param name=\"max-connections\" value=\"2\"/><param name=\"max-unauthenticated\" value=\"3\"/>\
             <param name=\"auth-timeout\" value=\"4\"/><param name=\"fetch-timeout\" value=\"6\"/>",
        );
        let expected = ErlangConfig {
            listen: ([0, 0, 0, 0], 9).into(),
            nodename: "a@b".to_owned(),
            shortname: false,
            cookie: CookieSource::File("/cookie".into()),
            encoding: Encoding::Binary,
            acl: vec!["lan".to_owned()],
            max_queue_len: 1,
            max_connections: 2,
            max_unauthenticated: 3,
            auth_timeout: Duration::from_secs(4),
            fetch_timeout: Duration::from_secs(6),
        };
        assert_eq!((config, diagnostics), (expected, vec![]));
    }

    #[test]
    fn everything_wrong_is_told() {
        for (settings, told) in [
            ("<param name=\"cookies\" value=\"x\"/>", "unknown param cookies"),
            ("<param name=\"compat-rel\" value=\"12\"/>", "param compat-rel has no meaning here"),
            ("<param name=\"encoding\" value=\"utf8\"/>", "encoding: `utf8`"),
            ("<param name=\"listen-port\" value=\"x\"/>", "listen-port: `x`"),
            ("<param name=\"nodename\" value=\"a@b@c\"/>", "nodename: `a@b@c`"),
            (
                "<param name=\"listen-ip\" value=\"0.0.0.0\"/><param name=\"cookie\" value=\"ClueCon\"/>\
                 <param name=\"apply-inbound-acl\" value=\"lan\"/>",
                "hosts other than this one may connect",
            ),
        ] {
            let (_, diagnostics) = read(settings);
            assert_eq!(diagnostics.len(), 1, "{settings}: {diagnostics:?}");
            assert!(diagnostics[0].starts_with(told), "{diagnostics:?}");
        }
    }

    #[test]
    fn the_cookie_is_not_shown() {
        let (config, _) = read("<param name=\"cookie\" value=\"s3cret\"/>");
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}
