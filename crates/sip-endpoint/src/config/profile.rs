//! One profile of `sofia.conf`.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use chappe_config::{Diagnostics, Element, Params, read_params};
use chappe_expression::Expression;
use chappe_sip_proto::Timing;

use super::{
    GatewayConfig, GuardConfig, NatConfig, PROFILE_PARAMS, PingConfig, PushConfig, TlsConfig, WebSocketConfig,
};
use crate::transport::ConnectionLimits;

/// An address as the configuration may leave it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenIp {
    /// The machine's own address.
    Auto,
    Ip(IpAddr),
}

/// How bindings of one user are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiple {
    /// A new binding replaces the old one.
    No,
    ByContact,
    ByCallId,
}

/// Where the realm of a challenge comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Realm {
    /// The host of To.
    AutoTo,
    /// The host of From.
    AutoFrom,
    Fixed(String),
}

/// A profile as written, with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileConfig {
    pub name: String,
    pub aliases: Vec<String>,
    /// Domains that are other names of the profile.
    pub domains: Vec<String>,
    /// Every domain of the directory is another name of the profile.
    pub all_domains: bool,
    pub context: String,
    pub sip_ip: ListenIp,
    pub sip_port: u16,
    pub ext_sip_ip: Option<ListenIp>,
    pub ext_sip_port: Option<u16>,
    /// Who stands on this side of the NAT, and is told the profile's own address.
    pub local_network_acl: Option<String>,
    pub udp: bool,
    pub tcp: bool,
    /// Threads; `None`: one a core.
    pub shards: Option<usize>,
    pub chat: bool,
    pub auth_messages: bool,
    pub auth_calls: bool,
    pub accept_blind_reg: bool,
    pub accept_blind_auth: bool,
    pub require_known_user: bool,
    pub inbound_acl: Vec<String>,
    pub register_acl: Vec<String>,
    /// Proxies that say in X-AUTH-IP where a request came to them from.
    pub proxy_acl: Vec<String>,
    /// Take REGISTERs at all.
    pub registers: bool,
    /// Credentials of a MESSAGE may be those of an INVITE.
    pub broken_auth_hash: bool,
    /// OPTIONS are answered 503 while MESSAGEs are.
    pub options_tell_busy: bool,
    /// The source port counts, where a list names ports.
    pub port_in_acl: bool,
    pub force_register_domain: Option<String>,
    pub force_register_db_domain: Option<String>,
    pub multiple: Multiple,
    /// Bindings a user may have; 0: the built-in limit.
    pub max_registrations: usize,
    /// Bindings of all users together.
    pub max_bindings: usize,
    /// Seconds; 0: as the client asks.
    pub force_expires: u32,
    pub force_expires_min: u32,
    pub force_expires_max: u32,
    pub min_expires: u32,
    pub respond_200_ok: bool,
    pub fire_message_events: bool,
    pub match_username: bool,
    /// Of MESSAGEs.
    pub match_sender: bool,
    pub realm: Realm,
    pub md5: bool,
    pub sha256: bool,
    /// Seconds.
    pub nonce_ttl: u32,
    pub user_agent: String,
    /// What the User-Agent of a device that registers has to match.
    pub user_agent_filter: Option<String>,
    pub username: String,
    pub log_auth_failures: bool,
    /// 0: no limit.
    pub max_requests_per_second: u32,
    pub max_flows: usize,
    /// MESSAGEs; 0: no limit.
    pub max_pending_per_target: usize,
    /// Zero: no limit.
    pub max_request_age: Duration,
    pub tls: TlsConfig,
    pub websocket: WebSocketConfig,
    pub connections: ConnectionLimits,
    /// Seconds within which a device's connection has to show that it stands.
    pub flow_timer: Option<u32>,
    pub guard: GuardConfig,
    pub timing: Timing,
    pub sip_domain: Option<String>,
    /// Through which messages to other domains leave.
    pub foreign_gateway: Option<String>,
    /// Octets.
    pub max_message_size: usize,
    pub gateways: Vec<GatewayConfig>,
    /// Devices that sleep can be woken.
    pub push: Option<PushConfig>,
    pub ping: PingConfig,
    pub nat: NatConfig,
    /// Answers go to where a request came from, whatever its Via says.
    pub force_rport: bool,
}

impl ProfileConfig {
    /// `None` when it has no name or an error that would make it another profile than the one meant.
    pub fn read(element: &Element, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Some(name) = element.attr("name").filter(|name| !name.is_empty()) else {
            diagnostics.error(Some(element.at.clone()), "a profile without a name");
            return None;
        };
        let Some(settings) = element.child("settings") else {
            diagnostics.error(Some(element.at.clone()), format!("profile {name} has no settings"));
            return None;
        };
        let params = read_params(settings, &PROFILE_PARAMS, diagnostics);
        let mut reader = Reader { params, diagnostics, failed: false };
        let mut profile = reader.profile(name)?;
        profile.names(element, &reader.params);
        let failed = reader.failed;
        profile.gateways = GatewayConfig::read_all(element, &profile.context, diagnostics);
        (!failed).then_some(profile)
    }

    /// The directory's domain of users who register at this host.
    pub fn register_domain<'a>(&'a self, host: &'a str) -> &'a str {
        self.force_register_domain.as_deref().unwrap_or(host)
    }

    /// The domain in the addresses-of-record of users who register at this host.
    pub fn db_domain<'a>(&'a self, host: &'a str) -> &'a str {
        self.force_register_db_domain.as_deref().unwrap_or_else(|| self.register_domain(host))
    }

    /// MESSAGEs that may be under way to a target.
    pub fn most_pending(&self) -> usize {
        if self.max_pending_per_target == 0 { usize::MAX } else { self.max_pending_per_target }
    }

    fn names(&mut self, element: &Element, params: &Params<'_>) {
        let aliases = element.children_named("aliases").flat_map(|list| list.children_named("alias"));
        self.aliases.extend(aliases.filter_map(|alias| alias.attr("name")).map(str::to_owned));
        self.aliases.extend(params.all("alias").map(str::to_owned));
        for domain in element.children_named("domains").flat_map(|list| list.children_named("domain")) {
            let Some(name) = domain.attr("name") else { continue };
            match (name, domain.attr("alias").is_some_and(chappe_event::is_true)) {
                ("all", true) => self.all_domains = true,
                (name, true) => self.domains.push(name.to_owned()),
                _ => {}
            }
        }
    }
}

struct Reader<'a, 'd> {
    params: Params<'a>,
    diagnostics: &'d mut Diagnostics,
    failed: bool,
}

impl Reader<'_, '_> {
    fn profile(&mut self, name: &str) -> Option<ProfileConfig> {
        let bind = self.text("bind-params").unwrap_or_default();
        let tls = TlsConfig::read(&self.params, self.diagnostics);
        let websocket = WebSocketConfig::read(&self.params, self.diagnostics);
        let push = PushConfig::read(&self.params, self.diagnostics);
        let ping = PingConfig::read(&self.params, self.diagnostics);
        let guard = GuardConfig::read(&self.params, self.diagnostics);
        let nat = NatConfig::read(&self.params, self.diagnostics);
        let tls_only = self.bool("tls-only", false);
        let algorithms = self.text("challenge-algorithms").unwrap_or_else(|| "MD5".to_owned());
        Some(ProfileConfig {
            name: name.to_owned(),
            aliases: Vec::new(),
            domains: Vec::new(),
            all_domains: false,
            context: self.text("context").unwrap_or_else(|| "public".to_owned()),
            sip_ip: self.ip("sip-ip").unwrap_or(ListenIp::Auto),
            sip_port: self.number("sip-port", 5060, 0..=65_535) as u16,
            ext_sip_ip: self.ip("ext-sip-ip"),
            local_network_acl: self.text("local-network-acl"),
            ext_sip_port: self.text("ext-sip-port").and_then(|port| port.parse().ok()),
            udp: !tls_only && !bind.contains("transport=tcp"),
            tcp: !tls_only && !bind.contains("transport=udp"),
            shards: self.params.get("shards").is_some().then(|| self.number("shards", 1, 1..=64) as usize),
            chat: self.bool("enable-chat", true),
            auth_messages: self.bool("auth-messages", true) && !self.bool("disable-auth-messages", false),
            auth_calls: self.bool("auth-calls", false),
            accept_blind_reg: self.bool("accept-blind-reg", false),
            accept_blind_auth: self.bool("accept-blind-auth", false),
            require_known_user: self.bool("auth-require-user", false),
            inbound_acl: self.list("apply-inbound-acl"),
            register_acl: self.list("apply-register-acl"),
            proxy_acl: self.list("apply-proxy-acl"),
            registers: !self.bool("disable-register", false),
            broken_auth_hash: self.bool("NDLB-broken-auth-hash", false),
            options_tell_busy: self.bool("sip-options-respond-503-on-busy", false),
            port_in_acl: self.bool("use-port-for-acl-check", false),
            force_register_domain: self.text("force-register-domain"),
            force_register_db_domain: self.text("force-register-db-domain"),
            multiple: self.multiple(),
            max_registrations: self.number("max-registrations-per-extension", 0, 0..=1000) as usize,
            max_bindings: self.number("max-registrations", 100_000, 1..=10_000_000) as usize,
            force_expires: self.seconds("sip-force-expires"),
            force_expires_min: self.seconds("sip-force-expires-min"),
            force_expires_max: self.seconds("sip-force-expires-max"),
            min_expires: self.seconds("registration-min-expires"),
            respond_200_ok: self.bool("sip-messages-respond-200-ok", false)
                || self.bool("messages-respond-200-ok", false),
            fire_message_events: self.bool("fire-message-events", false),
            match_username: self.bool("inbound-reg-force-matching-username", true),
            match_sender: self.bool("message-force-matching-username", true),
            realm: self.realm(),
            md5: algorithms.to_ascii_uppercase().contains("MD5"),
            sha256: algorithms.to_ascii_uppercase().contains("SHA-256"),
            nonce_ttl: self.number("nonce-ttl", 60, 1..=86_400),
            user_agent: self.text("user-agent-string").unwrap_or_else(|| "chappe".to_owned()),
            user_agent_filter: self.expression("user-agent-filter"),
            username: self.text("username").unwrap_or_else(|| "mod_sofia".to_owned()),
            log_auth_failures: self.bool("log-auth-failures", false),
            max_requests_per_second: self.number("max-recv-requests-per-second", 0, 0..=10_000_000),
            max_flows: self.number("max-message-flows", 20_000, 1..=1_000_000) as usize,
            max_pending_per_target: self.number("max-pending-per-target", 1, 0..=1000) as usize,
            max_request_age: self.millis("max-request-age", 50, 0..=10_000),
            tls: tls?,
            websocket: websocket?,
            connections: self.connections(),
            flow_timer: self.flow_timer(),
            guard: guard?,
            timing: self.timing(),
            sip_domain: self.text("sip-domain"),
            foreign_gateway: self.text("foreign-gateway"),
            max_message_size: self.number("max-message-size", 65_535, 1300..=1_048_576) as usize,
            gateways: Vec::new(),
            push: push.ok()?,
            ping,
            nat,
            force_rport: self.force_rport(),
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        // A line break could never leave in a header again.
        self.params.get(name).filter(|t| !t.is_empty()).map(|t| t.replace(['\r', '\n'], " "))
    }

    fn expression(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        if let Err(error) = Expression::new(&text) {
            self.diagnostics.error(self.params.at(name).cloned(), format!("{name}: {error}"));
        }
        Some(text)
    }

    fn list(&self, name: &str) -> Vec<String> {
        self.params.all(name).filter(|list| !list.is_empty()).map(str::to_owned).collect()
    }

    fn bool(&mut self, name: &str, default: bool) -> bool {
        self.params.bool(name, default, self.diagnostics)
    }

    fn number(&mut self, name: &str, default: u32, range: RangeInclusive<u32>) -> u32 {
        self.params.u32_in(name, default, range, self.diagnostics)
    }

    fn seconds(&mut self, name: &str) -> u32 {
        self.number(name, 0, 0..=31_536_000)
    }

    fn millis(&mut self, name: &str, default: u32, range: RangeInclusive<u32>) -> Duration {
        Duration::from_millis(u64::from(self.number(name, default, range)))
    }

    fn ip(&mut self, name: &str) -> Option<ListenIp> {
        let text = self.params.get(name).filter(|text| !text.is_empty())?;
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(ip) = bare.parse() {
            return Some(ListenIp::Ip(ip));
        }
        let at = self.params.at(name).cloned();
        match text {
            "auto" | "auto-nat" => return Some(ListenIp::Auto),
            _ if text.starts_with("stun:") || name == "ext-sip-ip" => {
                self.diagnostics.warning(at, format!("{name} {text} is not an address and is not used"));
                return None;
            }
            _ => {}
        }
        self.diagnostics.error(at, format!("{name} {text} is not an address"));
        self.failed = true;
        None
    }

    fn multiple(&mut self) -> Multiple {
        match self.params.get("multiple-registrations") {
            Some("contact") => Multiple::ByContact,
            Some("call-id") => Multiple::ByCallId,
            Some(text) if chappe_event::is_true(text) => Multiple::ByCallId,
            _ => Multiple::No,
        }
    }

    /// FreeSWITCH sofia.c config_sofia: our own requests ask for it always.
    fn force_rport(&self) -> bool {
        match self.params.get("NDLB-force-rport").map(str::to_ascii_lowercase).as_deref() {
            Some("safe" | "server-only") => true,
            Some(text) => chappe_event::is_true(text),
            None => false,
        }
    }

    fn realm(&self) -> Realm {
        match self.text("challenge-realm").as_deref() {
            None | Some("auto_to") => Realm::AutoTo,
            Some("auto_from") => Realm::AutoFrom,
            // A quote would end the challenge's quoted string.
            Some(realm) => Realm::Fixed(realm.replace(['"', '\\'], "")),
        }
    }

    fn connections(&mut self) -> ConnectionLimits {
        let idle = self.number("tcp-idle-timeout", 3600, 10..=86_400);
        let idle = self.number("connection-idle-timeout", idle, 10..=86_400);
        let all = self.number("tcp-max-connections", 100_000, 1..=1_000_000);
        ConnectionLimits {
            all: self.number("max-connections", all, 1..=1_000_000) as usize,
            per_source: self.number("max-connections-per-ip", 1000, 1..=1_000_000) as usize,
            idle: std::time::Duration::from_secs(idle.into()),
            flow: self.flow_timer().map(|seconds| Duration::from_secs(seconds.into()) * 5 / 4),
        }
    }

    /// `None`: devices are told none.
    fn flow_timer(&mut self) -> Option<u32> {
        Some(self.number("flow-timer", 120, 0..=86_400)).filter(|seconds| *seconds > 0)
    }

    fn timing(&mut self) -> Timing {
        Timing {
            t1: self.millis("timer-T1", 500, 100..=10_000),
            t2: self.millis("timer-T2", 4000, 500..=60_000),
            t4: self.millis("timer-T4", 5000, 500..=60_000),
            t1x64: self.millis("timer-T1X64", 32_000, 1000..=640_000),
        }
    }
}
